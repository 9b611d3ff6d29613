variable "region" {
  description = "Of AWS."
  type        = string
  default     = "eu-central-1"
}

variable "administrators" {
  description = "ARNs of the IAM principals that administer the cluster."
  type        = list(string)
}

variable "broker_password" {
  description = "TF_VAR_broker_password."
  type        = string
  sensitive   = true
}

variable "cache_password" {
  description = "TF_VAR_cache_password."
  type        = string
  sensitive   = true
}

variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnets" {
  description = "Subnets without a way to the internet."
  type        = list(string)
}

variable "clients" {
  description = "The security group that may connect."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

variable "engine_version" {
  description = "Of Valkey; pinned, raised by hand."
  type        = string
}

variable "node_type" {
  description = "Of each node."
  type        = string
}

variable "replicas" {
  description = "Beside the primary; at least one takes over when a zone is gone."
  type        = number
}

variable "password" {
  description = "What carts are reached with, by TF_VAR_cache_password: 16 to 128 characters."
  type        = string
  sensitive   = true
}

variable "project" {
  description = "Its id: one for this environment alone."
  type        = string
}

variable "region" {
  description = "Of Google Cloud."
  type        = string
  default     = "europe-west3"
}

variable "administrators" {
  description = "Members of IAM that administer the cluster, for example group:operators@example.com."
  type        = list(string)
}

variable "broker_endpoint" {
  description = "A broker of somebody else's by Private Service Connect; null where it runs in the cluster."
  type        = object({ attachment = string, host = string })
  default     = null
}

variable "database_passwords" {
  description = "TF_VAR_database_passwords, for each service; neither a plan nor the state keeps them."
  type        = map(string)
  sensitive   = true
  ephemeral   = true
}

variable "database_passwords_version" {
  description = "One more than the last time, whenever passwords are new: else nobody is told."
  type        = number
  default     = 1
}

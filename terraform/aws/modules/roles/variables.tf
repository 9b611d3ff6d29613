variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "cluster" {
  description = "OpenID Connect issuer of the cluster, without its scheme, and the provider of it in IAM."
  type        = object({ issuer = string, provider_arn = string })
}

variable "secret_arns" {
  description = "The secret of each service."
  type        = map(string)
}

variable "database_secret_arns" {
  description = "Where the password of each service's database is, for those that have one."
  type        = map(string)
  default     = {}
}

variable "namespaces" {
  description = "Where an account is, if not in stoa."
  type        = map(string)
  default     = {}
}

variable "kms_key_arn" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

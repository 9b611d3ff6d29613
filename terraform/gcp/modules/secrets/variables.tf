variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "region" {
  description = "Where they are kept."
  type        = string
}

variable "kms_key" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

variable "secrets" {
  description = "For each service the settings that are secret, as docs/security/secrets.md lists them."
  type        = map(list(string))
}

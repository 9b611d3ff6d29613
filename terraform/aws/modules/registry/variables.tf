variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

variable "images" {
  description = "Of ours."
  type        = set(string)
}

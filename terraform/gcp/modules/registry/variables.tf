variable "project" {
  description = "Its id."
  type        = string
}

variable "region" {
  description = "Where images lie."
  type        = string
}

variable "kms_key" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

variable "images" {
  description = "Of ours."
  type        = set(string)
}

variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "region" {
  description = "Of the cache."
  type        = string
}

variable "zones" {
  description = "Of the primary, and of the replica."
  type        = list(string)
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "stores_range" {
  description = "The name of the range that private addresses come from."
  type        = string
}

variable "kms_key" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

variable "engine_version" {
  description = "Of Redis; pinned, raised by hand."
  type        = string
}

variable "memory_gib" {
  description = "For carts."
  type        = number
}

variable "replicas" {
  description = "Beside the primary; one takes over when a zone is gone. More cannot be had."
  type        = number

  validation {
    condition     = contains([0, 1], var.replicas)
    error_message = "None or one."
  }
}

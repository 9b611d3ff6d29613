variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
}

variable "zones" {
  description = "Availability zones; three in production."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2
    error_message = "At least two zones: databases and load balancers want them."
  }
}

variable "kms_key_arn" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "region" {
  description = "Of everything."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network: a /16, in which a /12 more is still a network of 16 addresses."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]), 0) == 16
    error_message = "A /16: GKE wants exactly a /28 for its control plane, and pods want room."
  }
}

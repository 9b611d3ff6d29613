variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "region" {
  description = "Of the endpoint, and of the broker."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnets" {
  description = "Subnets without a way to the internet: one."
  type        = list(string)
}

variable "endpoint" {
  description = "The service attachment of a broker, and the name in its certificate; null where it runs in the cluster."
  type        = object({ attachment = string, host = string })
  default     = null

  validation {
    condition     = var.endpoint == null || can(regex("^projects/[^/]+/regions/[^/]+/serviceAttachments/[^/]+$", var.endpoint.attachment))
    error_message = "An attachment is projects/…/regions/…/serviceAttachments/…: a name that the whole world reaches is none."
  }
}

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
  description = "Of RabbitMQ; pinned, raised by hand."
  type        = string
}

variable "instance_type" {
  description = "Of each node."
  type        = string
}

variable "clustered" {
  description = "Three nodes in three zones, as quorum queues want them; else one."
  type        = bool
}

variable "password" {
  description = "Of the user `stoa`, by TF_VAR_broker_password; Amazon MQ has no way to make one itself."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.password) >= 12 && !can(regex("[,:=]", var.password))
    error_message = "Amazon MQ wants at least 12 characters, and no comma, colon or equals sign."
  }
}

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

variable "databases" {
  description = "A PostgreSQL for each service that has one."
  type        = map(object({ instance_class = string, storage_gib = number, max_storage_gib = number }))
}

variable "engine_version" {
  description = "Of PostgreSQL; pinned, raised by hand."
  type        = string
}

variable "multi_az" {
  description = "Whether each has a standby in another zone."
  type        = bool
}

variable "backup_days" {
  description = "How long backups are kept; any moment of that time can be restored."
  type        = number
}

variable "deletion_protection" {
  description = "Whether deleting one takes two steps."
  type        = bool
}

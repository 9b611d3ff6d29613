variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "region" {
  description = "Of databases and their backups."
  type        = string
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

variable "databases" {
  description = "A PostgreSQL for each service that has one."
  type        = map(object({ instance_class = string, storage_gib = number, max_storage_gib = number }))
}

variable "engine_version" {
  description = "Of PostgreSQL; pinned, raised by hand. Google brings what is behind the dot."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.engine_version))
    error_message = "The major version alone: Cloud SQL knows no other."
  }
}

variable "multi_az" {
  description = "Whether each has a standby in another zone."
  type        = bool
}

variable "backup_days" {
  description = "How many daily backups are kept; any moment of the last seven days can be restored."
  type        = number
}

variable "deletion_protection" {
  description = "Whether deleting one takes two steps."
  type        = bool
}

variable "passwords" {
  description = "For each service; Cloud SQL has no way to make one itself."
  type        = map(string)
  sensitive   = true
  ephemeral   = true
}

variable "passwords_version" {
  description = "One more than the last time, whenever passwords are new: Terraform does not remember them."
  type        = number
}

variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
}

variable "zones" {
  description = "Availability zones."
  type        = list(string)
}

variable "kubernetes_version" {
  description = "Of the cluster."
  type        = string
  default     = "1.33"
}

variable "administrators" {
  description = "Members of IAM who administer the cluster."
  type        = list(string)
}

variable "instance_types" {
  description = "Of the nodes."
  type        = list(string)
}

variable "nodes" {
  description = "How many nodes."
  type        = object({ min = number, max = number, desired = number })
}

variable "databases" {
  description = "A PostgreSQL for each service that has one."
  type        = map(object({ instance_class = string, storage_gib = number, max_storage_gib = number }))
}

variable "multi_az" {
  description = "Whether every store survives a zone."
  type        = bool
}

variable "backup_days" {
  description = "How long backups are kept."
  type        = number
}

variable "deletion_protection" {
  description = "Whether deleting a database takes two steps."
  type        = bool
}

variable "broker_endpoint" {
  description = "A broker of somebody else's by Private Service Connect; null where it runs in the cluster."
  type        = object({ attachment = string, host = string })
}

variable "cache_memory_gib" {
  description = "Of the cache."
  type        = number
}

variable "images" {
  description = "Of ours; empty where another environment keeps them."
  type        = set(string)
}

variable "database_passwords" {
  description = "TF_VAR_database_passwords, for each service."
  type        = map(string)
  sensitive   = true
  ephemeral   = true
}

variable "database_passwords_version" {
  description = "One more than the last time, whenever they are new."
  type        = number
}

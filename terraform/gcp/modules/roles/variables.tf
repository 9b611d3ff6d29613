variable "cluster" {
  description = "The pool of identities that the cluster vouches for."
  type        = object({ pool = string })
}

variable "secrets" {
  description = "The secret of each service."
  type        = map(string)
}

variable "namespaces" {
  description = "Where an account of the cluster is, if not in stoa."
  type        = map(string)
  default     = {}
}

variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "project" {
  description = "Its id."
  type        = string
}

variable "region" {
  description = "The control plane lies in all of its zones."
  type        = string
}

variable "zones" {
  description = "Zones that nodes lie in."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2
    error_message = "At least two zones: what is there twice is to survive one."
  }
}

variable "kubernetes_version" {
  description = "Of the cluster, at least; pinned, raised by hand. Patches come by the release channel."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnets" {
  description = "For nodes: one, with ranges `pods` and `services`."
  type        = list(string)
}

variable "cidr" {
  description = "Who may talk to the API server at all: the network."
  type        = string
}

variable "control_plane_cidr" {
  description = "Sixteen addresses for it."
  type        = string
}

variable "instance_types" {
  description = "Of the nodes."
  type        = list(string)

  validation {
    condition     = length(var.instance_types) == 1
    error_message = "One: a pool of GKE has nodes of one type."
  }
}

variable "nodes" {
  description = "How many nodes."
  type        = object({ min = number, max = number, desired = number })
}

variable "administrators" {
  description = "Members of IAM that administer the cluster, for example group:operators@example.com."
  type        = list(string)
}

variable "kms_key" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

variable "deletion_protection" {
  description = "Whether deleting it takes two steps."
  type        = bool
}

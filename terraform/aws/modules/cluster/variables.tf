variable "name" {
  description = "Begins the names of everything that is made, for example stoa-production."
  type        = string
}

variable "kubernetes_version" {
  description = "Of the cluster; pinned, raised by hand."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnets" {
  description = "Private subnets for nodes."
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

variable "administrators" {
  description = "ARNs of the IAM principals that administer the cluster."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "The key that data at rest is encrypted with."
  type        = string
}

# As production, smaller, and without standbys.

terraform {
  required_version = "~> 1.11"

  # `terraform init -backend-config=backend.hcl`; ../../state makes the bucket.
  backend "s3" {
    key          = "staging/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      platform    = "stoa"
      environment = "staging"
    }
  }
}

module "platform" {
  source = "../../modules/platform"

  name           = "stoa-staging"
  cidr           = "10.30.0.0/16"
  zones          = [for letter in ["a", "b", "c"] : "${var.region}${letter}"]
  administrators = var.administrators

  instance_types = ["m7i.large"]
  nodes          = { min = 3, max = 6, desired = 3 }

  databases = {
    catalog       = { instance_class = "db.t4g.small", storage_gib = 20, max_storage_gib = 100 }
    identity      = { instance_class = "db.t4g.small", storage_gib = 20, max_storage_gib = 100 }
    inventory     = { instance_class = "db.t4g.small", storage_gib = 20, max_storage_gib = 100 }
    notifications = { instance_class = "db.t4g.small", storage_gib = 20, max_storage_gib = 100 }
    orders        = { instance_class = "db.t4g.small", storage_gib = 20, max_storage_gib = 100 }
    payments      = { instance_class = "db.t4g.small", storage_gib = 20, max_storage_gib = 100 }
  }
  multi_az             = false
  backup_days          = 7
  deletion_protection  = false
  broker_instance_type = "mq.m7g.medium"
  cache_node_type      = "cache.t4g.small"
  images               = []

  broker_password = var.broker_password
  cache_password  = var.cache_password
}

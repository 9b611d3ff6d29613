# Three zones, standbys, thirty days of backups.

terraform {
  required_version = "~> 1.11"

  # `terraform init -backend-config=backend.hcl`; ../../state makes the bucket.
  backend "s3" {
    key          = "production/terraform.tfstate"
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
      environment = "production"
    }
  }
}

module "platform" {
  source = "../../modules/platform"

  name           = "stoa-production"
  cidr           = "10.20.0.0/16"
  zones          = [for letter in ["a", "b", "c"] : "${var.region}${letter}"]
  administrators = var.administrators

  instance_types = ["m7i.xlarge"]
  nodes          = { min = 6, max = 30, desired = 6 }

  databases = {
    catalog       = { instance_class = "db.m7g.large", storage_gib = 100, max_storage_gib = 1000 }
    identity      = { instance_class = "db.m7g.large", storage_gib = 100, max_storage_gib = 1000 }
    inventory     = { instance_class = "db.m7g.large", storage_gib = 100, max_storage_gib = 1000 }
    notifications = { instance_class = "db.m7g.large", storage_gib = 100, max_storage_gib = 1000 }
    orders        = { instance_class = "db.m7g.large", storage_gib = 100, max_storage_gib = 1000 }
    payments      = { instance_class = "db.m7g.large", storage_gib = 100, max_storage_gib = 1000 }
  }
  multi_az             = true
  backup_days          = 30
  deletion_protection  = true
  broker_instance_type = "mq.m7g.large"
  cache_node_type      = "cache.m7g.large"
  images               = ["cart", "catalog", "docs", "edge-config", "guard", "identity", "inventory", "notifications", "orders", "payments", "prober", "sandbox", "stoactl"]

  broker_password = var.broker_password
  cache_password  = var.cache_password
}

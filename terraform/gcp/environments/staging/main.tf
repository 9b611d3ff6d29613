# As production, smaller, and without standbys.

terraform {
  required_version = "~> 1.11"

  # `terraform init -backend-config=backend.hcl`; ../../state makes the bucket, which locks by itself.
  backend "gcs" {
    prefix = "staging"
  }

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  default_labels = {
    platform    = "stoa"
    environment = "staging"
  }
}

module "platform" {
  source = "../../modules/platform"

  name           = "stoa-staging"
  cidr           = "10.30.0.0/16"
  zones          = [for letter in ["a", "b", "c"] : "${var.region}-${letter}"]
  administrators = var.administrators

  instance_types = ["n2-standard-2"]
  nodes          = { min = 3, max = 6, desired = 3 }

  databases = {
    catalog       = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 }
    identity      = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 }
    inventory     = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 }
    notifications = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 }
    orders        = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 }
    payments      = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 }
  }
  multi_az            = false
  backup_days         = 7
  deletion_protection = false
  broker_endpoint     = var.broker_endpoint
  cache_memory_gib    = 1
  images              = []

  database_passwords         = var.database_passwords
  database_passwords_version = var.database_passwords_version
}

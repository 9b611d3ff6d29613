# Three zones, standbys, thirty days of backups.

terraform {
  required_version = "~> 1.11"

  # `terraform init -backend-config=backend.hcl`; ../../state makes the bucket, which locks by itself.
  backend "gcs" {
    prefix = "production"
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
    environment = "production"
  }
}

module "platform" {
  source = "../../modules/platform"

  name           = "stoa-production"
  cidr           = "10.20.0.0/16"
  zones          = [for letter in ["a", "b", "c"] : "${var.region}-${letter}"]
  administrators = var.administrators

  instance_types = ["n2-standard-4"]
  nodes          = { min = 6, max = 30, desired = 6 }

  databases = {
    catalog       = { instance_class = "db-custom-2-8192", storage_gib = 100, max_storage_gib = 1000 }
    identity      = { instance_class = "db-custom-2-8192", storage_gib = 100, max_storage_gib = 1000 }
    inventory     = { instance_class = "db-custom-2-8192", storage_gib = 100, max_storage_gib = 1000 }
    notifications = { instance_class = "db-custom-2-8192", storage_gib = 100, max_storage_gib = 1000 }
    orders        = { instance_class = "db-custom-2-8192", storage_gib = 100, max_storage_gib = 1000 }
    payments      = { instance_class = "db-custom-2-8192", storage_gib = 100, max_storage_gib = 1000 }
  }
  multi_az            = true
  backup_days         = 30
  deletion_protection = true
  broker_endpoint     = var.broker_endpoint
  cache_memory_gib    = 5
  images              = ["cart", "catalog", "docs", "edge-config", "guard", "identity", "inventory", "notifications", "orders", "payments", "prober", "sandbox", "stoactl"]

  database_passwords         = var.database_passwords
  database_passwords_version = var.database_passwords_version
}

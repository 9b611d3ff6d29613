# Refused: At least 1 "replication" blocks are required.

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

resource "google_secret_manager_secret" "this" {
  secret_id = "orders"
}

# Refused: does not support resource type

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

resource "google_sql_databaze" "this" {
  name = "orders"
}

# Refused: An argument named "instanz" is not expected here.

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

resource "google_sql_user" "this" {
  name     = "orders"
  instance = "orders"
  instanz  = "orders"
}

# Refused: The argument "instance" is required

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

resource "google_sql_user" "this" {
  name = "orders"
}

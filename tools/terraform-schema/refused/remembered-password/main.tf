# Refused: Ephemeral values are not valid

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

variable "password" {
  type      = string
  ephemeral = true
}

resource "google_sql_user" "this" {
  name     = "orders"
  instance = "orders"
  password = var.password
}

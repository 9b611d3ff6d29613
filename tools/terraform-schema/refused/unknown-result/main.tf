# Refused: This object has no argument, nested block, or exported attribute named

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
}

output "unknown" {
  value = google_sql_user.this.pasword
}

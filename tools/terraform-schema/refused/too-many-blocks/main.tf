# Refused: No more than 1 "settings" blocks are allowed

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

resource "google_sql_database_instance" "this" {
  database_version = "POSTGRES_17"

  settings {
    tier = "db-custom-1-3840"
  }

  settings {
    tier = "db-custom-2-8192"
  }
}

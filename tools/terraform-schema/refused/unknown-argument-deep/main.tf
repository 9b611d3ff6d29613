# Refused: An argument named "ssl_modus" is not expected here.

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

    ip_configuration {
      ssl_modus = "ENCRYPTED_ONLY"
    }
  }
}

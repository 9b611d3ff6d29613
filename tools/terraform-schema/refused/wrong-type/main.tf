# Refused: Inappropriate value for attribute "memory_size_gb": number required

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

resource "google_redis_instance" "this" {
  name           = "carts"
  memory_size_gb = ["five"]
}

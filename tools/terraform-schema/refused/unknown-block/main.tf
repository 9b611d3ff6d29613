# Refused: Blocks of type "private_cluster" are not expected here.

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

resource "google_container_cluster" "this" {
  name = "shop"

  private_cluster {
    enable_private_nodes = true
  }
}

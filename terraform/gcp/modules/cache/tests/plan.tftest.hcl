# Asserts on the plan of this module alone.

mock_provider "google" {}

variables {
  name           = "shop"
  region         = "europe-west3"
  zones          = ["europe-west3-a", "europe-west3-b", "europe-west3-c"]
  vpc_id         = "projects/shop-1/global/networks/shop"
  stores_range   = "shop-stores"
  kms_key        = "projects/shop-1/locations/europe-west3/keyRings/shop/cryptoKeys/shop"
  engine_version = "7.2"
  memory_gib     = 5
  replicas       = 1
}

run "the_cache_is_encrypted_and_survives_a_zone" {
  command = plan

  assert {
    condition     = google_redis_instance.this.transit_encryption_mode == "SERVER_AUTHENTICATION" && google_redis_instance.this.customer_managed_key == var.kms_key
    error_message = "The cache is not encrypted."
  }

  assert {
    condition     = google_redis_instance.this.auth_enabled
    error_message = "Nobody is asked for a password."
  }

  assert {
    condition     = google_redis_instance.this.connect_mode == "PRIVATE_SERVICE_ACCESS" && google_redis_instance.this.authorized_network == var.vpc_id && google_redis_instance.this.reserved_ip_range == var.stores_range
    error_message = "The cache is not inside the network."
  }

  assert {
    condition     = google_redis_instance.this.tier == "STANDARD_HA" && google_redis_instance.this.alternative_location_id == "europe-west3-b"
    error_message = "The cache does not survive a zone."
  }

  assert {
    condition     = google_redis_instance.this.redis_version == "REDIS_7_2"
    error_message = "The version is not pinned."
  }

  assert {
    condition     = google_redis_instance.this.persistence_config[0].persistence_mode == "RDB"
    error_message = "Carts do not survive a restart."
  }
}

run "two_replicas_are_refused" {
  command = plan

  variables {
    replicas = 2
  }

  expect_failures = [var.replicas]
}

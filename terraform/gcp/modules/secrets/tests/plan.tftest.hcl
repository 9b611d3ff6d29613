# Asserts on the plan of this module alone.

mock_provider "google" {}

variables {
  name    = "shop"
  region  = "europe-west3"
  secrets = { orders = ["DATABASE_URL"] }
  kms_key = "projects/shop-1/locations/europe-west3/keyRings/shop/cryptoKeys/shop"
}

run "secrets_are_encrypted_and_can_be_taken_back" {
  command = plan

  assert {
    condition     = alltrue([for s in google_secret_manager_secret.this : s.replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name == var.kms_key])
    error_message = "A secret is not encrypted with our key."
  }

  assert {
    condition     = alltrue([for s in google_secret_manager_secret.this : s.version_destroy_ttl == "2592000s"])
    error_message = "A secret is gone at once."
  }

  # The overlay asks for it by this name (k8s/components/secrets-gcp).
  assert {
    condition     = google_secret_manager_secret.this["orders"].secret_id == "shop_orders"
    error_message = "The overlay looks for it under another name."
  }
}

# Asserts on what belongs to the whole: the key, and who may use it.

mock_provider "google" {
  override_during = plan

  mock_data "google_client_config" {
    defaults = {
      project = "shop-1"
      region  = "europe-west3"
    }
  }

  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }

  mock_resource "google_sql_database_instance" {
    defaults = {
      dns_name           = "0123456789ab.cdef.europe-west3.sql.goog."
      private_ip_address = "10.20.224.3"
    }
  }
}

variables {
  name                       = "shop"
  cidr                       = "10.20.0.0/16"
  zones                      = ["europe-west3-a", "europe-west3-b", "europe-west3-c"]
  administrators             = ["group:operators@example.com"]
  instance_types             = ["n2-standard-4"]
  nodes                      = { min = 3, max = 6, desired = 3 }
  databases                  = { orders = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 } }
  multi_az                   = true
  backup_days                = 30
  deletion_protection        = true
  broker_endpoint            = null
  cache_memory_gib           = 5
  images                     = ["orders"]
  database_passwords         = { orders = "not-a-real-one-long-enough" }
  database_passwords_version = 1
}

run "the_key_changes_and_only_google_uses_it" {
  command = plan

  assert {
    condition     = google_kms_crypto_key.this.rotation_period == "7776000s" && google_kms_crypto_key.this.destroy_scheduled_duration == "2592000s"
    error_message = "The key never changes, or is gone at once."
  }

  assert {
    condition     = alltrue([for m in google_kms_crypto_key_iam_member.this : can(regex("^serviceAccount:service-123456789012@[a-z-]+[.]iam[.]gserviceaccount[.]com$", m.member)) && m.role == "roles/cloudkms.cryptoKeyEncrypterDecrypter"])
    error_message = "Somebody uses the key who is not Google's."
  }

  assert {
    condition     = google_kms_key_ring.this.location == "europe-west3"
    error_message = "The key lies in another region than what it encrypts."
  }

  assert {
    condition     = toset(keys(output.settings)) == toset(["ordersPostgresHost", "cartRedisHost", "rabbitmqHost", "cartRedisAddress", "storesCidr", "gcpProject", "gcpAccounts", "gcpName", "registry"])
    error_message = "Overlays get other settings."
  }
}

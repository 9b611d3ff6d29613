# Asserts on the plan: it may not be destroyed, so it is not even made for show.

mock_provider "google" {
  # Known while planning, so that what is made of it is too.
  override_during = plan

  mock_resource "google_kms_crypto_key" {
    defaults = {
      id = "projects/shop-0/locations/europe-west3/keyRings/stoa-state/cryptoKeys/stoa-state"
    }
  }

  mock_data "google_storage_project_service_account" {
    defaults = {
      email_address = "service-1@gs-project-accounts.iam.gserviceaccount.com"
    }
  }
}

variables {
  project = "shop-0"
  bucket  = "shop-state"
}

run "the_state_is_private_encrypted_and_kept" {
  command = plan

  assert {
    condition     = google_storage_bucket.state.public_access_prevention == "enforced" && google_storage_bucket.state.uniform_bucket_level_access
    error_message = "Somebody may make the state public."
  }

  assert {
    condition     = google_storage_bucket.state.versioning[0].enabled && !google_storage_bucket.state.force_destroy
    error_message = "A state that was overwritten is lost."
  }

  assert {
    condition     = google_storage_bucket.state.encryption[0].default_kms_key_name == "projects/shop-0/locations/europe-west3/keyRings/stoa-state/cryptoKeys/stoa-state"
    error_message = "The state is not encrypted with our key."
  }

  assert {
    condition     = google_kms_crypto_key.state.rotation_period == "7776000s" && google_kms_crypto_key_iam_member.state.member == "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
    error_message = "The key never changes, or others may use it."
  }
}

# Asserts on the plan of this module alone.

mock_provider "google" {}

variables {
  project = "shop-1"
  region  = "europe-west3"
  images  = ["orders"]
  kms_key = "projects/shop-1/locations/europe-west3/keyRings/shop/cryptoKeys/shop"
}

run "a_tag_means_one_image_for_ever" {
  command = plan

  assert {
    condition     = google_artifact_registry_repository.this[0].docker_config[0].immutable_tags
    error_message = "A tag can be moved."
  }

  assert {
    condition     = google_artifact_registry_repository.this[0].vulnerability_scanning_config[0].enablement_config == "INHERITED"
    error_message = "Images are not scanned."
  }

  assert {
    condition     = google_artifact_registry_repository.this[0].kms_key_name == var.kms_key
    error_message = "Images are not encrypted with our key."
  }

  assert {
    condition     = one([for p in google_artifact_registry_repository.this[0].cleanup_policies : p.most_recent_versions[0].keep_count if p.action == "KEEP"]) == 100
    error_message = "A release that may be gone back to is deleted."
  }

  # Images are called <registry>/stoa/<image>, as the overlays call them.
  assert {
    condition     = output.registry == "europe-west3-docker.pkg.dev/shop-1" && google_artifact_registry_repository.this[0].repository_id == "stoa"
    error_message = "Overlays look for images elsewhere."
  }
}

run "another_environment_keeps_them" {
  command = plan

  variables {
    images = []
  }

  assert {
    condition     = length(google_artifact_registry_repository.this) == 0 && output.registry == null
    error_message = "There is a registry that nobody asked for."
  }
}

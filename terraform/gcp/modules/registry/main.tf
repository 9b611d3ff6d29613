# A repository for all images, each under its name. A tag means one image for ever.

resource "google_artifact_registry_repository" "this" {
  count         = length(var.images) > 0 ? 1 : 0
  location      = var.region
  repository_id = "stoa"
  description   = join(", ", var.images)
  format        = "DOCKER"
  kms_key_name  = var.kms_key

  docker_config {
    immutable_tags = true
  }

  # What Google does with new images; the API for it is switched on with the others (modules/platform).
  vulnerability_scanning_config {
    enablement_config = "INHERITED"
  }

  # What nobody named, and old releases unless they are among an image's last hundred.
  cleanup_policies {
    id     = "without-a-tag"
    action = "DELETE"

    condition {
      tag_state  = "UNTAGGED"
      older_than = "1209600s"
    }
  }

  cleanup_policies {
    id     = "old-releases"
    action = "DELETE"

    condition {
      tag_state  = "TAGGED"
      older_than = "7776000s"
    }
  }

  cleanup_policies {
    id     = "the-last-hundred"
    action = "KEEP"

    most_recent_versions {
      keep_count = 100
    }
  }
}

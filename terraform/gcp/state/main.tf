# The bucket that keeps the state of all environments; Google Cloud Storage locks by itself. Once, by hand, with local state:
# `terraform apply -var project=… -var bucket=…`.

terraform {
  required_version = "~> 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

variable "project" {
  description = "Its id; one that holds no environment."
  type        = string
}

variable "bucket" {
  description = "Its name, which nobody else in the world may have."
  type        = string
}

variable "region" {
  description = "Of bucket and key."
  type        = string
  default     = "europe-west3"
}

provider "google" {
  project = var.project
  region  = var.region
}

data "google_storage_project_service_account" "this" {}

resource "google_kms_key_ring" "state" {
  name     = "stoa-state"
  location = var.region
}

resource "google_kms_crypto_key" "state" {
  name                       = "stoa-state"
  key_ring                   = google_kms_key_ring.state.id
  rotation_period            = "7776000s"
  destroy_scheduled_duration = "2592000s"

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "state" {
  crypto_key_id = google_kms_crypto_key.state.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${data.google_storage_project_service_account.this.email_address}"
}

resource "google_storage_bucket" "state" {
  name                        = var.bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  encryption {
    default_kms_key_name = google_kms_crypto_key_iam_member.state.crypto_key_id
  }

  # Old states are for going back; a year is far enough.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      days_since_noncurrent_time = 365
      with_state                 = "ARCHIVED"
    }
  }

  lifecycle {
    prevent_destroy = true
  }
}

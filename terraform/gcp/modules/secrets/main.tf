# A secret for each service, an object with a field for each setting. Values come from people or from their makers, never
# from here: what Terraform writes it would keep in its state.

resource "google_secret_manager_secret" "this" {
  for_each    = var.secrets
  secret_id   = "${var.name}_${each.key}"
  annotations = { settings = join(" ", each.value) }
  # A value that was deleted can be taken back for thirty days.
  version_destroy_ttl = "2592000s"

  replication {
    user_managed {
      replicas {
        location = var.region

        customer_managed_encryption {
          kms_key_name = var.kms_key
        }
      }
    }
  }
}

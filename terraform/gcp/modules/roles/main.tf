# An account for each workload that may read one secret: its own. The External Secrets Operator shows a token of the service's
# account in the cluster (k8s/components/secrets-gcp); nobody else's token opens it. The key is used by Secret Manager itself:
# these accounts may not.

resource "google_service_account" "this" {
  for_each     = var.secrets
  account_id   = "stoa-${each.key}"
  display_name = "Reads the secret of ${each.key}"
}

resource "google_service_account_iam_member" "this" {
  for_each           = var.secrets
  service_account_id = google_service_account.this[each.key].name
  role               = "roles/iam.workloadIdentityUser"
  member             = "serviceAccount:${var.cluster.pool}[${lookup(var.namespaces, each.key, "stoa")}/${each.key}]"
}

resource "google_secret_manager_secret_iam_member" "this" {
  for_each  = var.secrets
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.this[each.key].email}"
}

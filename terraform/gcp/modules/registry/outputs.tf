output "registry" {
  value = length(var.images) > 0 ? "${google_artifact_registry_repository.this[0].location}-docker.pkg.dev/${var.project}" : null
}

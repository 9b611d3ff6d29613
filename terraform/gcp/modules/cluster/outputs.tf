output "name" {
  value = google_container_cluster.this.name
}

output "accounts" {
  description = "Who vouches for service accounts."
  value       = { pool = google_container_cluster.this.workload_identity_config[0].workload_pool }
}

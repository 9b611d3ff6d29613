output "vpc_id" {
  value = google_compute_network.this.id
}

output "private_subnets" {
  value = [google_compute_subnetwork.nodes.id]
}

output "store_subnets" {
  value = [google_compute_subnetwork.stores.id]
}

output "stores_cidr" {
  value = local.stores_cidr
}

output "control_plane_cidr" {
  value = local.control_plane_cidr
}

output "stores_range" {
  description = "The name of the range that Google's stores have their addresses from; known once the networks are peered."
  value       = google_service_networking_connection.stores.reserved_peering_ranges[0]
}

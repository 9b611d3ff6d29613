# A network of one region: nodes and what runs on them, which reach the internet through Cloud NAT, and stores, which do not.

locals {
  # Of 10.20.0.0/16: nodes 10.20.0.0/20, services 10.20.16.0/20, the control plane 10.20.32.0/28, pods 10.20.64.0/18.
  nodes_cidr         = cidrsubnet(var.cidr, 4, 0)
  services_cidr      = cidrsubnet(var.cidr, 4, 1)
  control_plane_cidr = cidrsubnet(var.cidr, 12, 512)
  pods_cidr          = cidrsubnet(var.cidr, 2, 1)
  # The last eighth. Google's own stores have its first half, a broker of somebody else's the second.
  stores_cidr    = cidrsubnet(var.cidr, 3, 7)
  google_cidr    = cidrsubnet(local.stores_cidr, 1, 0)
  endpoints_cidr = cidrsubnet(local.stores_cidr, 1, 1)
}

resource "google_compute_network" "this" {
  name                    = var.name
  auto_create_subnetworks = false
  routing_mode            = "REGIONAL"
}

resource "google_compute_subnetwork" "nodes" {
  name                     = "${var.name}-nodes"
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = local.nodes_cidr
  private_ip_google_access = true

  secondary_ip_range {
    range_name    = "pods"
    ip_cidr_range = local.pods_cidr
  }

  secondary_ip_range {
    range_name    = "services"
    ip_cidr_range = local.services_cidr
  }

  # Who talked to whom, for investigations.
  log_config {
    aggregation_interval = "INTERVAL_1_MIN"
    flow_sampling        = 1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_subnetwork" "stores" {
  name                     = "${var.name}-stores"
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = local.endpoints_cidr
  private_ip_google_access = true

  log_config {
    aggregation_interval = "INTERVAL_1_MIN"
    flow_sampling        = 1
    metadata             = "INCLUDE_ALL_METADATA"
  }
}

resource "google_compute_router" "this" {
  name    = var.name
  region  = var.region
  network = google_compute_network.this.id
}

# For nodes and their pods alone. It lies in no zone: losing one takes nobody's way out along.
resource "google_compute_router_nat" "this" {
  name                               = var.name
  region                             = var.region
  router                             = google_compute_router.this.name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  subnetwork {
    name                    = google_compute_subnetwork.nodes.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}

# Addresses of Cloud SQL and Memorystore, which live in a network of Google's that is peered with ours.
resource "google_compute_global_address" "stores" {
  name          = "${var.name}-stores"
  network       = google_compute_network.this.id
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  address       = cidrhost(local.google_cidr, 0)
  prefix_length = tonumber(split("/", local.google_cidr)[1])
}

resource "google_service_networking_connection" "stores" {
  network                 = google_compute_network.this.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.stores.name]
}

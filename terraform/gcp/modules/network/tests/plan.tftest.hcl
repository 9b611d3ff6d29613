# Asserts on the plan of this module alone.

mock_provider "google" {}

variables {
  name   = "shop"
  region = "europe-west3"
  cidr   = "10.20.0.0/16"
}

run "stores_have_no_way_out" {
  command = plan

  assert {
    condition     = google_compute_router_nat.this.source_subnetwork_ip_ranges_to_nat == "LIST_OF_SUBNETWORKS" && length(google_compute_router_nat.this.subnetwork) == 1
    error_message = "Others than nodes reach the internet."
  }

  assert {
    condition     = google_compute_global_address.stores.address_type == "INTERNAL" && google_compute_global_address.stores.purpose == "VPC_PEERING"
    error_message = "Stores have public addresses."
  }

  assert {
    condition     = output.stores_cidr == "10.20.224.0/19" && google_compute_global_address.stores.address == "10.20.224.0" && google_compute_global_address.stores.prefix_length == 20 && google_compute_subnetwork.stores.ip_cidr_range == "10.20.240.0/20"
    error_message = "Stores have addresses that network policies do not know."
  }

  assert {
    condition     = !google_compute_network.this.auto_create_subnetworks
    error_message = "There are networks that nobody planned."
  }

  assert {
    condition     = toset(google_compute_subnetwork.nodes.secondary_ip_range[*].ip_cidr_range) == toset(["10.20.64.0/18", "10.20.16.0/20"]) && google_compute_subnetwork.nodes.ip_cidr_range == "10.20.0.0/20" && output.control_plane_cidr == "10.20.32.0/28"
    error_message = "Addresses moved, or overlap."
  }

  assert {
    condition     = google_compute_subnetwork.nodes.log_config[0].flow_sampling == 1 && google_compute_subnetwork.stores.log_config[0].flow_sampling == 1
    error_message = "Nobody sees who talked to whom."
  }
}

run "a_small_network_is_refused" {
  command = plan

  variables {
    cidr = "10.20.0.0/20"
  }

  expect_failures = [var.cidr]
}

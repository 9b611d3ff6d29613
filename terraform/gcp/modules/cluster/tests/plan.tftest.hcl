# Asserts on the plan of this module alone.

mock_provider "google" {}

variables {
  name                = "shop"
  project             = "shop-1"
  region              = "europe-west3"
  zones               = ["europe-west3-a", "europe-west3-b", "europe-west3-c"]
  kubernetes_version  = "1.33"
  vpc_id              = "projects/shop-1/global/networks/shop"
  subnets             = ["projects/shop-1/regions/europe-west3/subnetworks/shop-nodes"]
  cidr                = "10.20.0.0/16"
  control_plane_cidr  = "10.20.32.0/28"
  instance_types      = ["n2-standard-4"]
  nodes               = { min = 3, max = 6, desired = 4 }
  administrators      = ["group:operators@example.com"]
  kms_key             = "projects/shop-1/locations/europe-west3/keyRings/shop/cryptoKeys/shop"
  deletion_protection = true
}

run "the_cluster_is_closed" {
  command = plan

  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_endpoint && !google_container_cluster.this.master_authorized_networks_config[0].gcp_public_cidrs_access_enabled && [for c in google_container_cluster.this.master_authorized_networks_config[0].cidr_blocks : c.cidr_block] == [var.cidr]
    error_message = "The API server is public."
  }

  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_nodes
    error_message = "Nodes have public addresses."
  }

  assert {
    condition     = google_container_cluster.this.database_encryption[0].state == "ENCRYPTED" && google_container_cluster.this.database_encryption[0].key_name == var.kms_key
    error_message = "Secrets are not encrypted with our key."
  }

  assert {
    condition     = contains(google_container_cluster.this.logging_config[0].enable_components, "APISERVER")
    error_message = "Nobody sees who asked the API server for what."
  }

  assert {
    condition     = google_container_cluster.this.datapath_provider == "ADVANCED_DATAPATH"
    error_message = "Network policies are decoration."
  }

  assert {
    condition     = google_container_cluster.this.workload_identity_config[0].workload_pool == "shop-1.svc.id.goog" && !google_container_cluster.this.enable_legacy_abac && !google_container_cluster.this.master_auth[0].client_certificate_config[0].issue_client_certificate
    error_message = "There are other ways in than IAM."
  }

  assert {
    condition     = google_container_cluster.this.min_master_version == "1.33" && google_container_cluster.this.release_channel[0].channel == "REGULAR"
    error_message = "The version is not pinned."
  }

  assert {
    condition     = google_container_cluster.this.deletion_protection
    error_message = "The cluster can be deleted in one step."
  }
}

run "nodes_are_nobody_else" {
  command = plan

  assert {
    condition     = alltrue([for config in [google_container_node_pool.this.node_config[0], google_container_cluster.this.node_config[0]] : config.workload_metadata_config[0].mode == "GKE_METADATA"])
    error_message = "Pods can become their node."
  }

  assert {
    condition     = alltrue([for config in [google_container_node_pool.this.node_config[0], google_container_cluster.this.node_config[0]] : config.boot_disk_kms_key == var.kms_key])
    error_message = "Disks of nodes are not encrypted with our key."
  }

  assert {
    condition     = google_container_cluster.this.enable_shielded_nodes && google_container_node_pool.this.node_config[0].shielded_instance_config[0].enable_secure_boot
    error_message = "Nodes start what nobody signed."
  }

  assert {
    condition     = toset([for member in google_project_iam_member.nodes : member.role]) == toset(["roles/artifactregistry.reader", "roles/container.defaultNodeServiceAccount"])
    error_message = "Nodes may more than pull images and tell how they are."
  }

  assert {
    condition     = google_container_node_pool.this.initial_node_count == 2 && google_container_node_pool.this.autoscaling[0].total_max_node_count == 6
    error_message = "There are more or fewer nodes than said."
  }

  assert {
    condition     = toset(google_compute_firewall.webhooks.source_ranges) == toset([var.control_plane_cidr])
    error_message = "Others than the control plane reach webhooks."
  }
}

run "several_types_are_refused" {
  command = plan

  variables {
    instance_types = ["n2-standard-4", "n2-standard-8"]
  }

  expect_failures = [var.instance_types]
}

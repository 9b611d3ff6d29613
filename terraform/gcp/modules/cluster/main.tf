# GKE over the zones of a region, reached from inside the network only, with its secrets encrypted and its audit log kept
# (Cloud Audit Logs keep who changed what in any case; the API server's own log comes beside it).

resource "google_container_cluster" "this" {
  name                        = var.name
  location                    = var.region
  node_locations              = var.zones
  network                     = var.vpc_id
  subnetwork                  = var.subnets[0]
  networking_mode             = "VPC_NATIVE"
  min_master_version          = var.kubernetes_version
  datapath_provider           = "ADVANCED_DATAPATH"
  enable_intranode_visibility = true
  enable_shielded_nodes       = true
  enable_legacy_abac          = false
  deletion_protection         = var.deletion_protection

  # Ours is a pool of its own: this one cannot be changed later.
  remove_default_node_pool = true
  initial_node_count       = 1

  release_channel {
    channel = "REGULAR"
  }

  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = true
    master_ipv4_cidr_block  = var.control_plane_cidr
  }

  master_authorized_networks_config {
    gcp_public_cidrs_access_enabled = false

    cidr_blocks {
      cidr_block   = var.cidr
      display_name = "the network itself"
    }
  }

  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }

  # By it IAM believes service accounts of the cluster.
  workload_identity_config {
    workload_pool = "${var.project}.svc.id.goog"
  }

  database_encryption {
    state    = "ENCRYPTED"
    key_name = var.kms_key
  }

  master_auth {
    client_certificate_config {
      issue_client_certificate = false
    }
  }

  # The pool that is removed at once must not run as the project's own account, which may nearly everything.
  node_config {
    service_account   = google_service_account.nodes.email
    oauth_scopes      = ["https://www.googleapis.com/auth/cloud-platform"]
    boot_disk_kms_key = var.kms_key

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }

    workload_metadata_config {
      mode = "GKE_METADATA"
    }
  }

  logging_config {
    enable_components = ["SYSTEM_COMPONENTS", "APISERVER", "CONTROLLER_MANAGER", "SCHEDULER"]
  }

  monitoring_config {
    enable_components = ["SYSTEM_COMPONENTS"]
  }

  security_posture_config {
    mode               = "BASIC"
    vulnerability_mode = "VULNERABILITY_DISABLED"
  }

  maintenance_policy {
    recurring_window {
      start_time = "2026-01-04T03:30:00Z"
      end_time   = "2026-01-04T07:30:00Z"
      recurrence = "FREQ=WEEKLY;BYDAY=SA,SU"
    }
  }

  lifecycle {
    ignore_changes = [node_config]
  }

  depends_on = [google_project_iam_member.nodes]
}

resource "google_project_iam_member" "administrators" {
  for_each = toset(var.administrators)
  project  = var.project
  role     = "roles/container.admin"
  member   = each.value
}

resource "google_service_account" "nodes" {
  account_id   = "${var.name}-nodes"
  display_name = "Nodes of ${var.name}"
}

resource "google_project_iam_member" "nodes" {
  for_each = toset([
    "roles/artifactregistry.reader",
    "roles/container.defaultNodeServiceAccount",
  ])
  project = var.project
  role    = each.value
  member  = "serviceAccount:${google_service_account.nodes.email}"
}

resource "google_container_node_pool" "this" {
  name           = "general"
  cluster        = google_container_cluster.this.id
  location       = var.region
  node_locations = var.zones
  # In each zone.
  initial_node_count = ceil(var.nodes.desired / length(var.zones))

  autoscaling {
    total_min_node_count = var.nodes.min
    total_max_node_count = var.nodes.max
    location_policy      = "BALANCED"
  }

  management {
    auto_repair  = true
    auto_upgrade = true
  }

  upgrade_settings {
    max_surge       = 1
    max_unavailable = 0
  }

  node_config {
    machine_type      = var.instance_types[0]
    image_type        = "COS_CONTAINERD"
    disk_type         = "pd-balanced"
    disk_size_gb      = 50
    boot_disk_kms_key = var.kms_key
    service_account   = google_service_account.nodes.email
    oauth_scopes      = ["https://www.googleapis.com/auth/cloud-platform"]
    tags              = [local.nodes]

    # A pod does not become its node by asking for its credentials.
    workload_metadata_config {
      mode = "GKE_METADATA"
    }

    metadata = {
      disable-legacy-endpoints = "true"
    }

    shielded_instance_config {
      enable_secure_boot          = true
      enable_integrity_monitoring = true
    }
  }

  lifecycle {
    ignore_changes = [initial_node_count]
  }
}

# The API server asks webhooks of Istio and of the operators; GKE itself opens 443 and 10250 only.
resource "google_compute_firewall" "webhooks" {
  name          = "${var.name}-webhooks"
  description   = "Webhooks, from the control plane alone"
  network       = var.vpc_id
  direction     = "INGRESS"
  source_ranges = [var.control_plane_cidr]
  target_tags   = [local.nodes]

  allow {
    protocol = "tcp"
    ports    = ["8443", "9443", "15017"]
  }
}

locals {
  nodes = "${var.name}-nodes"
}

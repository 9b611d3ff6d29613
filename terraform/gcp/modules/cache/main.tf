# Redis for carts (Memorystore): encrypted on disk and on the wire, with a password that Google makes, and a replica that takes
# over. Not Memorystore for Valkey: it knows no passwords, only tokens of IAM that live for an hour.

resource "google_redis_instance" "this" {
  name                    = "${var.name}-cart"
  display_name            = "Carts"
  region                  = var.region
  location_id             = var.zones[0]
  alternative_location_id = var.replicas > 0 ? var.zones[1] : null
  tier                    = var.replicas > 0 ? "STANDARD_HA" : "BASIC"
  redis_version           = "REDIS_${replace(var.engine_version, ".", "_")}"
  memory_size_gb          = var.memory_gib
  connect_mode            = "PRIVATE_SERVICE_ACCESS"
  authorized_network      = var.vpc_id
  reserved_ip_range       = var.stores_range
  transit_encryption_mode = "SERVER_AUTHENTICATION"
  auth_enabled            = true
  customer_managed_key    = var.kms_key

  persistence_config {
    persistence_mode    = "RDB"
    rdb_snapshot_period = "TWELVE_HOURS"
  }

  maintenance_policy {
    weekly_maintenance_window {
      day = "SUNDAY"

      start_time {
        hours   = 4
        minutes = 30
        seconds = 0
        nanos   = 0
      }
    }
  }
}

# The mesh wants a name. Whoever connects uses the address itself, which is what the certificate names.
resource "google_dns_managed_zone" "this" {
  name        = "${var.name}-cache"
  description = "The cache's name"
  dns_name    = "cache.${var.name}.internal."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = var.vpc_id
    }
  }
}

resource "google_dns_record_set" "this" {
  managed_zone = google_dns_managed_zone.this.name
  name         = google_dns_managed_zone.this.dns_name
  type         = "A"
  ttl          = 60
  rrdatas      = [google_redis_instance.this.host]
}

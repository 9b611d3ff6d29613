# A PostgreSQL for each service: no service can reach, fill up or slow down another's.

resource "google_sql_database_instance" "this" {
  for_each = var.databases

  name                = "${var.name}-${each.key}"
  region              = var.region
  database_version    = "POSTGRES_${var.engine_version}"
  encryption_key_name = var.kms_key
  # Terraform refuses, and beside it (below) Google does.
  deletion_protection = var.deletion_protection

  settings {
    tier                        = each.value.instance_class
    edition                     = "ENTERPRISE"
    availability_type           = var.multi_az ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = each.value.storage_gib
    disk_autoresize             = true
    disk_autoresize_limit       = each.value.max_storage_gib
    deletion_protection_enabled = var.deletion_protection

    # Passwords over verified TLS, as in AWS. Google's certificates for clients would bring their keys into the state.
    ip_configuration {
      ipv4_enabled       = false
      private_network    = var.vpc_id
      allocated_ip_range = var.stores_range
      ssl_mode           = "ENCRYPTED_ONLY"
      # Names in certificates, which `verify-full` compares; the default has none.
      server_ca_mode = "GOOGLE_MANAGED_CAS_CA"
    }

    backup_configuration {
      enabled                        = true
      location                       = var.region
      start_time                     = "02:00"
      point_in_time_recovery_enabled = true
      # As far back as this edition goes.
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = var.backup_days
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 7
      hour         = 3
      update_track = "stable"
    }

    insights_config {
      query_insights_enabled  = true
      record_application_tags = false
      record_client_address   = false
    }

    # Without the DETAIL of errors, which repeats values: a customer's address.
    database_flags {
      name  = "log_error_verbosity"
      value = "terse"
    }

    database_flags {
      name  = "log_checkpoints"
      value = "on"
    }

    database_flags {
      name  = "log_connections"
      value = "on"
    }

    database_flags {
      name  = "log_disconnections"
      value = "on"
    }

    database_flags {
      name  = "log_lock_waits"
      value = "on"
    }
  }

  lifecycle {
    # It grows by itself.
    ignore_changes = [settings[0].disk_size]
  }
}

resource "google_sql_database" "this" {
  for_each        = var.databases
  name            = each.key
  instance        = google_sql_database_instance.this[each.key].name
  deletion_policy = "ABANDON"
}

# Passwords are given to Google and never written into the state or a plan.
resource "google_sql_user" "this" {
  for_each            = var.databases
  name                = each.key
  instance            = google_sql_database_instance.this[each.key].name
  password_wo         = var.passwords[each.key]
  password_wo_version = var.passwords_version
  deletion_policy     = "ABANDON"
}

# The names in the certificates, for our network alone: Google publishes none for private addresses.
resource "google_dns_managed_zone" "this" {
  name        = "${var.name}-databases"
  description = "Names of the databases"
  dns_name    = "${var.region}.sql.goog."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = var.vpc_id
    }
  }
}

resource "google_dns_record_set" "this" {
  for_each     = var.databases
  managed_zone = google_dns_managed_zone.this.name
  name         = "${trimsuffix(google_sql_database_instance.this[each.key].dns_name, ".")}."
  type         = "A"
  ttl          = 60
  rrdatas      = [google_sql_database_instance.this[each.key].private_ip_address]
}

# Asserts on the plan of this module alone.

mock_provider "google" {}

variables {
  name                = "shop"
  region              = "europe-west3"
  vpc_id              = "projects/shop-1/global/networks/shop"
  stores_range        = "shop-stores"
  kms_key             = "projects/shop-1/locations/europe-west3/keyRings/shop/cryptoKeys/shop"
  databases           = { orders = { instance_class = "db-custom-1-3840", storage_gib = 20, max_storage_gib = 100 } }
  engine_version      = "17"
  multi_az            = true
  backup_days         = 30
  deletion_protection = true
  passwords           = { orders = "not-a-real-one-long-enough" }
  passwords_version   = 1
}

run "databases_are_closed_and_encrypted" {
  command = plan

  assert {
    condition     = alltrue([for d in google_sql_database_instance.this : d.encryption_key_name == var.kms_key])
    error_message = "A database is not encrypted with our key."
  }

  assert {
    condition     = alltrue([for d in google_sql_database_instance.this : !d.settings[0].ip_configuration[0].ipv4_enabled && length(d.settings[0].ip_configuration[0].authorized_networks) == 0 && d.settings[0].ip_configuration[0].private_network == var.vpc_id])
    error_message = "A database is public."
  }

  assert {
    condition     = alltrue([for d in google_sql_database_instance.this : d.settings[0].ip_configuration[0].ssl_mode == "ENCRYPTED_ONLY" && d.settings[0].ip_configuration[0].server_ca_mode == "GOOGLE_MANAGED_CAS_CA"])
    error_message = "Somebody may come without TLS, or cannot see who answers."
  }

  assert {
    condition     = alltrue([for u in google_sql_user.this : u.password == null && u.password_wo_version == 1]) && alltrue([for d in google_sql_database_instance.this : d.root_password == null])
    error_message = "A password would stand in the state."
  }

  assert {
    condition     = alltrue([for d in google_sql_database_instance.this : d.settings[0].availability_type == "REGIONAL" && d.settings[0].backup_configuration[0].enabled && d.settings[0].backup_configuration[0].point_in_time_recovery_enabled && d.settings[0].backup_configuration[0].backup_retention_settings[0].retained_backups == 30])
    error_message = "A database can be lost."
  }

  assert {
    condition     = alltrue([for d in google_sql_database_instance.this : d.deletion_protection && d.settings[0].deletion_protection_enabled])
    error_message = "A database can be deleted in one step."
  }

  assert {
    condition     = alltrue([for d in google_sql_database_instance.this : d.database_version == "POSTGRES_17"])
    error_message = "A version is not pinned."
  }

  assert {
    condition     = alltrue([for d in google_sql_database_instance.this : contains([for f in d.settings[0].database_flags : "${f.name}=${f.value}"], "log_error_verbosity=terse")])
    error_message = "Logs repeat customers' data."
  }

  assert {
    condition     = google_dns_managed_zone.this.visibility == "private"
    error_message = "The world knows the databases' names."
  }
}

run "without_standbys_there_is_one_zone" {
  command = plan

  variables {
    multi_az = false
  }

  assert {
    condition     = google_sql_database_instance.this["orders"].settings[0].availability_type == "ZONAL"
    error_message = "There is a standby that nobody asked for."
  }
}

run "a_version_behind_the_dot_is_refused" {
  command = plan

  variables {
    engine_version = "17.5"
  }

  expect_failures = [var.engine_version]
}

# What the plan must say, with a provider that only pretends: no account is needed.

mock_provider "google" {
  mock_data "google_client_config" {
    defaults = {
      project = "shop-1"
      region  = "europe-west3"
    }
  }

  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }

  mock_resource "google_sql_database_instance" {
    defaults = {
      dns_name           = "0123456789ab.cdef.europe-west3.sql.goog."
      private_ip_address = "10.30.224.3"
    }
  }

  mock_resource "google_redis_instance" {
    defaults = {
      host = "10.30.225.3"
    }
  }
}

variables {
  project        = "shop-1"
  administrators = ["group:operators@example.com"]
  database_passwords = {
    catalog       = "not-a-real-one-long-enough"
    identity      = "not-a-real-one-long-enough"
    inventory     = "not-a-real-one-long-enough"
    notifications = "not-a-real-one-long-enough"
    orders        = "not-a-real-one-long-enough"
    payments      = "not-a-real-one-long-enough"
  }
}

run "applies" {
  assert {
    condition     = output.settings.rabbitmqHost == "rabbitmq.stoa-data.svc.cluster.local"
    error_message = "The broker's host goes into the overlay's settings."
  }

  assert {
    condition     = toset([for key, host in output.settings : host if endswith(key, "PostgresHost")]) == toset(["0123456789ab.cdef.europe-west3.sql.goog"]) && length([for key in keys(output.settings) : key if endswith(key, "PostgresHost")]) == 6
    error_message = "Every database's host goes into the overlay's settings."
  }

  assert {
    condition     = output.settings.cartRedisHost == "cache.stoa-staging.internal" && output.settings.cartRedisAddress == "10.30.225.3"
    error_message = "The cache's host goes into the overlay's settings, and its address."
  }

  assert {
    condition     = output.settings.storesCidr == "10.30.224.0/19"
    error_message = "The stores' addresses go into the overlay's settings."
  }

  assert {
    condition     = output.settings.gcpProject == "shop-1" && output.settings.gcpName == "stoa-staging"
    error_message = "Project and name go into the overlay's settings."
  }

  assert {
    condition     = !contains(keys(output.settings), "registry")
    error_message = "Images are looked for in the wrong place."
  }
}

run "a_broker_of_somebody_elses" {
  variables {
    broker_endpoint = {
      attachment = "projects/broker-1/regions/europe-west3/serviceAttachments/shop"
      host       = "shop.broker.example.com"
    }
  }

  assert {
    condition     = output.settings.rabbitmqHost == "shop.broker.example.com"
    error_message = "The broker's host goes into the overlay's settings."
  }
}

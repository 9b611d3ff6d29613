# Asserts on the plan of this module alone.

mock_provider "google" {}

variables {
  name    = "shop"
  region  = "europe-west3"
  vpc_id  = "projects/shop-1/global/networks/shop"
  subnets = ["projects/shop-1/regions/europe-west3/subnetworks/shop-stores"]
  endpoint = {
    attachment = "projects/broker-1/regions/europe-west3/serviceAttachments/shop"
    host       = "shop.broker.example.com"
  }
}

run "a_service_is_reached_by_a_private_endpoint" {
  command = plan

  assert {
    condition     = google_compute_address.this[0].address_type == "INTERNAL" && google_compute_address.this[0].subnetwork == var.subnets[0]
    error_message = "The broker is reached by a public address."
  }

  assert {
    condition     = google_compute_forwarding_rule.this[0].target == var.endpoint.attachment && google_compute_forwarding_rule.this[0].load_balancing_scheme == ""
    error_message = "The endpoint leads somewhere else."
  }

  assert {
    condition     = google_dns_managed_zone.this[0].visibility == "private"
    error_message = "The world is told where our endpoint is."
  }

  assert {
    condition     = output.host == "shop.broker.example.com"
    error_message = "TLS would be asked for another name than the certificate's."
  }
}

run "in_the_cluster_nothing_is_made" {
  command = plan

  variables {
    endpoint = null
  }

  assert {
    condition     = length(google_compute_forwarding_rule.this) == 0 && length(google_dns_managed_zone.this) == 0 && output.host == "rabbitmq.stoa-data.svc.cluster.local"
    error_message = "The broker in the cluster has another name, or something is made for it."
  }
}

run "a_public_broker_is_refused" {
  command = plan

  variables {
    endpoint = { attachment = "amqps://shop.broker.example.com", host = "shop.broker.example.com" }
  }

  expect_failures = [var.endpoint]
}

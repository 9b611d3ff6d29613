# RabbitMQ. Google runs none: it is somebody else's service, reached by Private Service Connect, or it runs in the cluster by
# its operator (k8s/components/broker-self-hosted), where nothing has to be made here.

resource "google_compute_address" "this" {
  count        = var.endpoint == null ? 0 : 1
  name         = "${var.name}-broker"
  region       = var.region
  subnetwork   = var.subnets[0]
  address_type = "INTERNAL"
  purpose      = "GCE_ENDPOINT"
}

# The broker's maker publishes an attachment; this is our end of it. No address of either is public.
resource "google_compute_forwarding_rule" "this" {
  count                 = var.endpoint == null ? 0 : 1
  name                  = "${var.name}-broker"
  region                = var.region
  network               = var.vpc_id
  ip_address            = google_compute_address.this[0].id
  target                = var.endpoint.attachment
  load_balancing_scheme = ""
}

# Its certificate names a public name: in our network that is the endpoint.
resource "google_dns_managed_zone" "this" {
  count       = var.endpoint == null ? 0 : 1
  name        = "${var.name}-broker"
  description = "The broker's name"
  dns_name    = "${var.endpoint.host}."
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = var.vpc_id
    }
  }
}

resource "google_dns_record_set" "this" {
  count        = var.endpoint == null ? 0 : 1
  managed_zone = google_dns_managed_zone.this[0].name
  name         = google_dns_managed_zone.this[0].dns_name
  type         = "A"
  ttl          = 60
  rrdatas      = [google_compute_address.this[0].address]
}

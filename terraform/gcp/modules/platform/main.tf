# One environment. What differs between environments are its variables.

data "google_client_config" "this" {}

data "google_project" "this" {}

locals {
  project = data.google_client_config.this.project
  region  = data.google_client_config.this.region
  number  = data.google_project.this.number
  # Google's own accounts that encrypt with our key in our name. Those of Cloud SQL and Secret Manager are there only once
  # somebody asked for them: see README.md.
  agents = {
    artifacts = "service-${local.number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    cache     = "service-${local.number}@cloud-redis.iam.gserviceaccount.com"
    cluster   = "service-${local.number}@container-engine-robot.iam.gserviceaccount.com"
    databases = "service-${local.number}@gcp-sa-cloud-sql.iam.gserviceaccount.com"
    disks     = "service-${local.number}@compute-system.iam.gserviceaccount.com"
    secrets   = "service-${local.number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
  }
}

resource "google_project_service" "this" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudkms.googleapis.com",
    "compute.googleapis.com",
    "container.googleapis.com",
    "containerscanning.googleapis.com",
    "dns.googleapis.com",
    "redis.googleapis.com",
    "secretmanager.googleapis.com",
    "servicenetworking.googleapis.com",
    "sqladmin.googleapis.com",
  ])
  service            = each.value
  disable_on_destroy = false
}

resource "google_kms_key_ring" "this" {
  name       = var.name
  location   = local.region
  depends_on = [google_project_service.this]
}

resource "google_kms_crypto_key" "this" {
  name                       = var.name
  key_ring                   = google_kms_key_ring.this.id
  rotation_period            = "7776000s"
  destroy_scheduled_duration = "2592000s"
}

resource "google_kms_crypto_key_iam_member" "this" {
  for_each      = local.agents
  crypto_key_id = google_kms_crypto_key.this.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = "serviceAccount:${each.value}"
}

locals {
  # By way of its grants: who names the key waits until all of them are there.
  kms_key = values(google_kms_crypto_key_iam_member.this)[0].crypto_key_id
}

module "network" {
  source     = "../network"
  name       = var.name
  region     = local.region
  cidr       = var.cidr
  depends_on = [google_project_service.this]
}

module "cluster" {
  source              = "../cluster"
  name                = var.name
  project             = local.project
  region              = local.region
  zones               = var.zones
  kubernetes_version  = var.kubernetes_version
  vpc_id              = module.network.vpc_id
  subnets             = module.network.private_subnets
  cidr                = var.cidr
  control_plane_cidr  = module.network.control_plane_cidr
  instance_types      = var.instance_types
  nodes               = var.nodes
  administrators      = var.administrators
  kms_key             = local.kms_key
  deletion_protection = var.deletion_protection
}

module "databases" {
  source              = "../databases"
  name                = var.name
  region              = local.region
  vpc_id              = module.network.vpc_id
  stores_range        = module.network.stores_range
  kms_key             = local.kms_key
  databases           = var.databases
  engine_version      = "17"
  multi_az            = var.multi_az
  backup_days         = var.backup_days
  deletion_protection = var.deletion_protection
  passwords           = var.database_passwords
  passwords_version   = var.database_passwords_version
}

module "broker" {
  source     = "../broker"
  name       = var.name
  region     = local.region
  vpc_id     = module.network.vpc_id
  subnets    = module.network.store_subnets
  endpoint   = var.broker_endpoint
  depends_on = [google_project_service.this]
}

module "cache" {
  source         = "../cache"
  name           = var.name
  region         = local.region
  zones          = var.zones
  vpc_id         = module.network.vpc_id
  stores_range   = module.network.stores_range
  kms_key        = local.kms_key
  engine_version = "7.2"
  memory_gib     = var.cache_memory_gib
  replicas       = var.multi_az ? 1 : 0
}

module "registry" {
  source  = "../registry"
  project = local.project
  region  = local.region
  kms_key = local.kms_key
  images  = var.images
}

module "secrets" {
  source  = "../secrets"
  name    = var.name
  region  = local.region
  kms_key = local.kms_key
  secrets = {
    cart          = ["REDIS_PASSWORD"]
    catalog       = ["AMQP_URL", "DATABASE_PASSWORD"]
    identity      = ["ADMIN_PASSWORD", "AMQP_URL", "DATABASE_PASSWORD", "SEALING_KEYS"]
    inventory     = ["AMQP_URL", "DATABASE_PASSWORD"]
    notifications = ["AMQP_URL", "DATABASE_PASSWORD", "SMTP_URL"]
    orders        = ["AMQP_URL", "DATABASE_PASSWORD"]
    payments      = ["AMQP_URL", "DATABASE_PASSWORD", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET"]
    # Of those who watch.
    alertmanager = ["page", "ticket"]
    grafana      = ["password"]
    prober       = ["email", "password"]
  }
}

module "roles" {
  source     = "../roles"
  cluster    = module.cluster.accounts
  secrets    = module.secrets.ids
  namespaces = { for workload in ["alertmanager", "grafana", "prober"] : workload => "observability" }
}

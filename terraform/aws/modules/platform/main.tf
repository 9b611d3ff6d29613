# One environment. What differs between environments are its variables.

data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

resource "aws_kms_key" "this" {
  description             = var.name
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TheAccountDecides"
        Effect    = "Allow"
        Action    = "kms:*"
        Resource  = "*"
        Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Principal = { Service = "logs.${data.aws_region.this.name}.amazonaws.com" }
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:*"
          }
        }
      },
    ]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}

module "network" {
  source      = "../network"
  name        = var.name
  cidr        = var.cidr
  zones       = var.zones
  kms_key_arn = aws_kms_key.this.arn
}

module "cluster" {
  source             = "../cluster"
  name               = var.name
  kubernetes_version = var.kubernetes_version
  vpc_id             = module.network.vpc_id
  subnets            = module.network.private_subnets
  instance_types     = var.instance_types
  nodes              = var.nodes
  administrators     = var.administrators
  kms_key_arn        = aws_kms_key.this.arn
}

module "databases" {
  source              = "../databases"
  name                = var.name
  vpc_id              = module.network.vpc_id
  subnets             = module.network.store_subnets
  clients             = module.cluster.security_group
  kms_key_arn         = aws_kms_key.this.arn
  databases           = var.databases
  engine_version      = "17.5"
  multi_az            = var.multi_az
  backup_days         = var.backup_days
  deletion_protection = var.deletion_protection
}

module "broker" {
  source         = "../broker"
  name           = var.name
  vpc_id         = module.network.vpc_id
  subnets        = module.network.store_subnets
  clients        = module.cluster.security_group
  kms_key_arn    = aws_kms_key.this.arn
  engine_version = "3.13"
  instance_type  = var.broker_instance_type
  clustered      = var.multi_az
  password       = var.broker_password
}

module "cache" {
  source         = "../cache"
  name           = var.name
  vpc_id         = module.network.vpc_id
  subnets        = module.network.store_subnets
  clients        = module.cluster.security_group
  kms_key_arn    = aws_kms_key.this.arn
  engine_version = "8.0"
  node_type      = var.cache_node_type
  replicas       = var.multi_az ? 1 : 0
  password       = var.cache_password
}

module "registry" {
  source      = "../registry"
  name        = var.name
  kms_key_arn = aws_kms_key.this.arn
  images      = var.images
}

module "secrets" {
  source      = "../secrets"
  name        = var.name
  kms_key_arn = aws_kms_key.this.arn
  secrets = {
    cart          = ["REDIS_PASSWORD"]
    catalog       = ["AMQP_PASSWORD"]
    identity      = ["ADMIN_PASSWORD", "AMQP_PASSWORD", "SEALING_KEYS"]
    inventory     = ["AMQP_PASSWORD"]
    notifications = ["AMQP_PASSWORD", "SMTP_URL"]
    orders        = ["AMQP_PASSWORD"]
    payments      = ["AMQP_PASSWORD", "STRIPE_API_KEY", "STRIPE_WEBHOOK_SECRET"]
    # Of those who watch.
    alertmanager = ["page", "ticket"]
    grafana      = ["password"]
    prober       = ["email", "password"]
  }
}

module "roles" {
  source               = "../roles"
  name                 = var.name
  cluster              = module.cluster.accounts
  secret_arns          = module.secrets.arns
  database_secret_arns = module.databases.password_secret_arns
  namespaces           = { for workload in ["alertmanager", "grafana", "prober"] : workload => "observability" }
  kms_key_arn          = aws_kms_key.this.arn
}

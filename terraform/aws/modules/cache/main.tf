# Valkey for carts (ElastiCache): encrypted on disk and on the wire, with a password, and a replica that takes over.

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnets
}

resource "aws_security_group" "this" {
  name        = "${var.name}-cache"
  description = "Valkey over TLS, from the cluster alone"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = var.clients
  description                  = "Valkey over TLS from the cluster"
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = "${var.name}-cart"
  description                = "Carts"
  engine                     = "valkey"
  engine_version             = var.engine_version
  node_type                  = var.node_type
  num_cache_clusters         = 1 + var.replicas
  automatic_failover_enabled = var.replicas > 0
  multi_az_enabled           = var.replicas > 0
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = var.password
  auth_token_update_strategy = "ROTATE"
  snapshot_retention_limit   = 7
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.this.id]
  apply_immediately          = false
  auto_minor_version_upgrade = true
}

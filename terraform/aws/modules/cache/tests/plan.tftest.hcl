# Asserts on the plan of this module alone.

mock_provider "aws" {}

variables {
  name           = "shop"
  kms_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  vpc_id         = "vpc-1"
  subnets        = ["subnet-1", "subnet-2", "subnet-3"]
  clients        = "sg-1"
  engine_version = "8.0"
  node_type      = "cache.t4g.small"
  replicas       = 1
  password       = "not-a-real-one-long-enough"
}

run "the_cache_is_encrypted_and_survives_a_zone" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true" && aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "The cache is not encrypted."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "The cache does not survive a zone."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == null
    error_message = "Others than the cluster may connect."
  }
}

# Asserts on the plan of this module alone.

mock_provider "aws" {}

variables {
  name           = "shop"
  kms_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  vpc_id         = "vpc-1"
  subnets        = ["subnet-1", "subnet-2", "subnet-3"]
  clients        = "sg-1"
  engine_version = "3.13"
  instance_type  = "mq.m7g.large"
  clustered      = true
  password       = "not-a-real-one-long-enough"
}

run "the_broker_is_closed_and_encrypted" {
  command = plan

  assert {
    condition     = !aws_mq_broker.this.publicly_accessible
    error_message = "The broker is public."
  }

  assert {
    condition     = aws_mq_broker.this.encryption_options[0].kms_key_id == var.kms_key_arn
    error_message = "The broker is not encrypted with our key."
  }

  assert {
    condition     = aws_mq_broker.this.deployment_mode == "CLUSTER_MULTI_AZ" && length(aws_mq_broker.this.subnet_ids) == 3
    error_message = "Quorum queues want three nodes."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.from_port == 5671 && aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == null
    error_message = "Others than the cluster may connect, or without TLS."
  }
}

run "one_node_lies_in_one_subnet" {
  command = plan

  variables {
    clustered = false
  }

  assert {
    condition     = length(aws_mq_broker.this.subnet_ids) == 1
    error_message = "A single node wants one subnet."
  }
}

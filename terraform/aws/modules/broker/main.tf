# Amazon MQ for RabbitMQ, inside the network.

resource "aws_security_group" "this" {
  name        = "${var.name}-broker"
  description = "AMQP over TLS, from the cluster alone"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = var.clients
  description                  = "AMQP over TLS from the cluster"
  ip_protocol                  = "tcp"
  from_port                    = 5671
  to_port                      = 5671
}

resource "aws_mq_broker" "this" {
  broker_name                = var.name
  engine_type                = "RabbitMQ"
  engine_version             = var.engine_version
  host_instance_type         = var.instance_type
  deployment_mode            = var.clustered ? "CLUSTER_MULTI_AZ" : "SINGLE_INSTANCE"
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  subnet_ids                 = var.clustered ? var.subnets : [var.subnets[0]]
  security_groups            = [aws_security_group.this.id]

  encryption_options {
    use_aws_owned_key = false
    kms_key_id        = var.kms_key_arn
  }

  logs {
    general = true
  }

  maintenance_window_start_time {
    day_of_week = "SUNDAY"
    time_of_day = "04:30"
    time_zone   = "UTC"
  }

  user {
    username = "stoa"
    password = var.password
  }
}

# Asserts on the plan of this module alone.

mock_provider "aws" {}

variables {
  name                = "shop"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
  vpc_id              = "vpc-1"
  subnets             = ["subnet-1", "subnet-2", "subnet-3"]
  clients             = "sg-1"
  databases           = { orders = { instance_class = "db.t4g.small", storage_gib = 20, max_storage_gib = 100 } }
  engine_version      = "17.5"
  multi_az            = true
  backup_days         = 30
  deletion_protection = true
}

run "databases_are_closed_and_encrypted" {
  command = plan

  assert {
    condition     = alltrue([for d in aws_db_instance.this : d.storage_encrypted && d.kms_key_id == var.kms_key_arn])
    error_message = "A database is not encrypted with our key."
  }

  assert {
    condition     = alltrue([for d in aws_db_instance.this : !d.publicly_accessible])
    error_message = "A database is public."
  }

  assert {
    condition     = alltrue([for d in aws_db_instance.this : d.manage_master_user_password && d.password == null])
    error_message = "A password would stand in the state."
  }

  assert {
    condition     = alltrue([for d in aws_db_instance.this : d.multi_az && d.backup_retention_period == 30 && d.deletion_protection && !d.skip_final_snapshot])
    error_message = "A database can be lost."
  }

  assert {
    condition     = alltrue([for d in aws_db_instance.this : can(regex("^[0-9]+[.][0-9]+$", d.engine_version)) && !d.allow_major_version_upgrade])
    error_message = "A version is not pinned."
  }

  assert {
    condition     = anytrue([for p in aws_db_parameter_group.this.parameter : p.name == "rds.force_ssl" && p.value == "1"])
    error_message = "Somebody may come without TLS."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.this.referenced_security_group_id == "sg-1" && aws_vpc_security_group_ingress_rule.this.cidr_ipv4 == null
    error_message = "Others than the cluster may connect."
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres17"
    error_message = "The parameters are for another version."
  }
}

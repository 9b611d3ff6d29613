# What the plan must say, with a provider that only pretends: no account is needed.

mock_provider "aws" {
  mock_data "aws_region" {
    defaults = {
      name = "eu-central-1"
    }
  }

  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
    }
  }

  mock_resource "aws_kms_key" {
    defaults = {
      arn = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/mocked"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mocked"
    }
  }

  mock_resource "aws_launch_template" {
    defaults = {
      id             = "lt-1234567890abcdef0"
      latest_version = 1
    }
  }

  mock_resource "aws_mq_broker" {
    defaults = {
      instances = [{ endpoints = ["amqps://b-1.mq.eu-central-1.on.aws:5671"], console_url = "", ip_address = "" }]
    }
  }

  mock_resource "aws_ecr_repository" {
    defaults = {
      repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/stoa/mocked"
    }
  }

  mock_resource "aws_eks_cluster" {
    defaults = {
      identity   = [{ oidc = [{ issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/1" }] }]
      vpc_config = { cluster_security_group_id = "sg-1" }
    }
  }

  mock_resource "aws_iam_openid_connect_provider" {
    defaults = {
      arn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/1"
    }
  }

  mock_resource "aws_db_instance" {
    defaults = {
      address            = "orders.rds.example.com"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds", kms_key_id = "", secret_status = "active" }]
    }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = {
      arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mocked"
    }
  }
}

variables {
  administrators  = ["arn:aws:iam::123456789012:role/administrators"]
  broker_password = "not-a-real-one-long-enough"
  cache_password  = "not-a-real-one-long-enough"
}

run "applies" {
  assert {
    condition     = output.settings.rabbitmqHost == "b-1.mq.eu-central-1.on.aws"
    error_message = "The broker's host goes into the overlay's settings."
  }

  assert {
    condition     = length([for key in keys(output.settings) : key if endswith(key, "PostgresHost")]) == 6
    error_message = "Every database's host goes into the overlay's settings."
  }

  assert {
    condition     = length([for key in keys(output.settings) : key if endswith(key, "PostgresSecret")]) == 6
    error_message = "Where every database's password is goes into the overlay's settings."
  }

  assert {
    condition     = output.settings.storesCidr == "10.30.224.0/19"
    error_message = "The stores' addresses go into the overlay's settings."
  }
}

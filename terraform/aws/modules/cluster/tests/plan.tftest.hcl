# Asserts on the plan of this module alone.

mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/mocked"
    }
  }
}

variables {
  name               = "shop"
  kubernetes_version = "1.33"
  vpc_id             = "vpc-1"
  subnets            = ["subnet-1", "subnet-2"]
  instance_types     = ["m7i.large"]
  nodes              = { min = 3, max = 6, desired = 3 }
  administrators     = ["arn:aws:iam::123456789012:role/administrators"]
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
}

run "the_cluster_is_closed" {
  command = plan

  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "The API server is public."
  }

  assert {
    condition     = contains(aws_eks_cluster.this.encryption_config[0].resources, "secrets")
    error_message = "Secrets are not encrypted."
  }

  assert {
    condition     = contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit")
    error_message = "Nobody sees who changed what."
  }

  assert {
    condition     = !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Whoever made the cluster administers it."
  }

  assert {
    condition     = aws_launch_template.nodes.metadata_options[0].http_tokens == "required" && aws_launch_template.nodes.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "Pods can become their node."
  }

  assert {
    condition     = aws_launch_template.nodes.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "Disks of nodes are not encrypted."
  }

  assert {
    condition     = aws_eks_cluster.this.version == "1.33"
    error_message = "The version is not pinned."
  }
}

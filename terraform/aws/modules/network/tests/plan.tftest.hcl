# Asserts on the plan of this module alone.

mock_provider "aws" {}

variables {
  name        = "shop"
  cidr        = "10.20.0.0/16"
  zones       = ["a", "b", "c"]
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
}

run "stores_have_no_way_out" {
  command = plan

  assert {
    condition     = length(aws_route_table.stores.route) == 0
    error_message = "Stores reach the internet."
  }

  assert {
    condition     = alltrue([for s in aws_subnet.public : !s.map_public_ip_on_launch])
    error_message = "Whatever is started there is public."
  }

  assert {
    condition     = length(distinct([for s in concat(values(aws_subnet.public), values(aws_subnet.private), values(aws_subnet.stores)) : s.cidr_block])) == 9
    error_message = "Subnets overlap."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "A zone depends on another one."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL"
    error_message = "Nobody sees who talked to whom."
  }
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zones = ["a"]
  }

  expect_failures = [var.zones]
}

# Asserts on the plan of this module alone.

mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/mocked"
    }
  }
}

variables {
  name                 = "shop"
  cluster              = { issuer = "oidc.example/id/1", provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example/id/1" }
  secret_arns          = { orders = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders", cart = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cart" }
  database_secret_arns = { orders = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds-orders" }
  namespaces           = { cart = "elsewhere" }
  kms_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
}

run "a_service_reads_its_own_secret_and_no_other" {
  command = plan

  assert {
    condition     = alltrue([for service, p in aws_iam_role_policy.this : alltrue([for s in jsondecode(p.policy).Statement : toset(flatten([try(s.Condition.StringEquals["kms:EncryptionContext:SecretARN"], s.Resource)])) == toset(compact([var.secret_arns[service], lookup(var.database_secret_arns, service, "")]))])])
    error_message = "A role reads what is not its own."
  }

  assert {
    condition     = alltrue([for p in aws_iam_role_policy.this : !strcontains(p.policy, "*")])
    error_message = "A role may more than it needs."
  }

  assert {
    condition     = alltrue([for service, r in aws_iam_role.this : jsondecode(r.assume_role_policy).Statement[0].Condition.StringEquals["oidc.example/id/1:sub"] == "system:serviceaccount:${service == "cart" ? "elsewhere" : "stoa"}:${service}"])
    error_message = "A role is for another account."
  }
}

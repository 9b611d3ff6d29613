# Asserts on the plan of this module alone.

mock_provider "aws" {}

variables {
  name        = "shop"
  secrets     = { orders = ["DATABASE_URL"] }
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/12345678-1234-1234-1234-123456789012"
}

run "secrets_are_encrypted_and_can_be_taken_back" {
  command = plan

  assert {
    condition     = alltrue([for s in aws_secretsmanager_secret.this : s.kms_key_id == var.kms_key_arn && s.recovery_window_in_days == 30])
    error_message = "A secret is not encrypted with our key, or gone at once."
  }
}

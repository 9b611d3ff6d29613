# A secret for each service, an object with a field for each setting. Values come from people or from their makers, never
# from here: what Terraform writes it would keep in its state.

resource "aws_secretsmanager_secret" "this" {
  for_each                = var.secrets
  name                    = "${var.name}/${each.key}"
  description             = join(", ", each.value)
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = 30
}

# A role for each service account that may read its own secret and its own database's password, and nothing else. The External Secrets Operator shows a token of the
# account (k8s/components/secrets-aws); nobody else's token opens the role.

resource "aws_iam_role" "this" {
  for_each = var.secret_arns
  name     = "stoa-${each.key}"
  path     = "/${var.name}/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = var.cluster.provider_arn }
      Condition = {
        StringEquals = {
          "${var.cluster.issuer}:aud" = "sts.amazonaws.com"
          "${var.cluster.issuer}:sub" = "system:serviceaccount:${lookup(var.namespaces, each.key, "stoa")}:${each.key}"
        }
      }
    }]
  })
}

locals {
  own = { for service, arn in var.secret_arns : service => compact([arn, lookup(var.database_secret_arns, service, "")]) }
}

resource "aws_iam_role_policy" "this" {
  for_each = var.secret_arns
  name     = "own-secret"
  role     = aws_iam_role.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
        Resource = local.own[each.key]
      },
      {
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = { "kms:EncryptionContext:SecretARN" = local.own[each.key] }
        }
      },
    ]
  })
}

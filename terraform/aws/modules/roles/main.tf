# A role for each service account that may read one secret: its own. The External Secrets Operator shows a token of the
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
          "${var.cluster.issuer}:sub" = "system:serviceaccount:stoa:${each.key}"
        }
      }
    }]
  })
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
        Resource = each.value
      },
      {
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.kms_key_arn
        Condition = {
          StringEquals = { "kms:EncryptionContext:SecretARN" = each.value }
        }
      },
    ]
  })
}

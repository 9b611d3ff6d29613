output "arns" {
  value = { for service, secret in aws_secretsmanager_secret.this : service => secret.arn }
}

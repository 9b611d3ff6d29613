output "arns" {
  value = { for service, role in aws_iam_role.this : service => role.arn }
}

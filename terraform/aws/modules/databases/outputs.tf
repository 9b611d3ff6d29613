output "hosts" {
  value = { for service, database in aws_db_instance.this : service => database.address }
}

output "password_secret_arns" {
  description = "Where AWS keeps each database's password, which it changes by itself when asked to."
  value       = { for service, database in aws_db_instance.this : service => database.master_user_secret[0].secret_arn }
}

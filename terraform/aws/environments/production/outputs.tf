output "settings" {
  value = module.platform.settings
}

output "database_password_secrets" {
  value = module.platform.database_password_secrets
}

output "settings" {
  value = module.platform.settings
}

output "database_password_secrets" {
  value = module.platform.database_password_secrets
}

output "cache_address" {
  value = module.platform.cache_address
}

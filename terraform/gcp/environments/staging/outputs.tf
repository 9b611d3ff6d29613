output "settings" {
  value = module.platform.settings
}

output "ids" {
  value = { for service, secret in google_secret_manager_secret.this : service => secret.id }
}

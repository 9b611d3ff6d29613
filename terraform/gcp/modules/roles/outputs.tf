output "accounts" {
  value = { for service, account in google_service_account.this : service => account.email }
}

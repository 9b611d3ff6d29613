output "hosts" {
  value = { for service, record in google_dns_record_set.this : service => trimsuffix(record.name, ".") }
}

output "host" {
  value = trimsuffix(google_dns_record_set.this.name, ".")
}

output "address" {
  description = "For REDIS_URL, with port 6378: certificates name it."
  value       = google_redis_instance.this.host
}

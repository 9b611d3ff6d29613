output "host" {
  # amqps://<host>:5671
  value = var.endpoint == null ? "rabbitmq.stoa-data.svc.cluster.local" : trimsuffix(google_dns_record_set.this[0].name, ".")
}

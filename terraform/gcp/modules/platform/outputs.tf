output "settings" {
  description = "Lines of the overlay's settings.yaml, for k8s/components/stores-managed."
  value = merge(
    { for service, host in module.databases.hosts : "${service}PostgresHost" => host },
    {
      cartRedisHost = module.cache.host
      rabbitmqHost  = module.broker.host
      storesCidr    = module.network.stores_cidr
      gcpProject    = local.project
      gcpName       = var.name
    },
    module.registry.registry == null ? {} : { registry = module.registry.registry },
  )
}

output "database_password_secrets" {
  description = "Where each database's password goes, as part of DATABASE_URL: nobody else keeps it."
  value       = { for service in keys(var.databases) : service => module.secrets.ids[service] }
}

output "cache_address" {
  description = "For REDIS_URL: rediss://:<password>@<address>:6378, whose certificate names the address."
  value       = module.cache.address
}

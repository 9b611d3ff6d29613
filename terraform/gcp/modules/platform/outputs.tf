output "settings" {
  description = "Lines of the overlay's settings.yaml, for k8s/components/stores-managed."
  value = merge(
    { for service, host in module.databases.hosts : "${service}PostgresHost" => host },
    {
      cartRedisHost = module.cache.host
      rabbitmqHost  = module.broker.host
      storesCidr    = module.network.stores_cidr
      # For k8s/components/secrets-gcp.
      cartRedisAddress = module.cache.address
      gcpProject       = local.project
      gcpAccounts      = "${local.project}.iam.gserviceaccount.com"
      gcpName          = var.name
    },
    module.registry.registry == null ? {} : { registry = module.registry.registry },
  )
}

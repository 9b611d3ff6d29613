output "settings" {
  description = "Lines of the overlay's settings.yaml, for k8s/components/stores-managed."
  value = merge(
    { for service, host in module.databases.hosts : "${service}PostgresHost" => host },
    {
      cartRedisHost = module.cache.host
      rabbitmqHost  = module.broker.host
      storesCidr    = module.network.stores_cidr
      awsAccount    = data.aws_caller_identity.this.account_id
      awsName       = var.name
    },
    module.registry.registry == null ? {} : { registry = module.registry.registry },
  )
}

output "database_password_secrets" {
  description = "Where each database's password is, to be put into DATABASE_URL."
  value       = module.databases.password_secret_arns
}

output "settings" {
  description = "Lines of the overlay's settings.yaml, for k8s/components/stores-managed."
  value = merge(
    { for service, host in module.databases.hosts : "${service}PostgresHost" => host },
    { for service, arn in module.databases.password_secret_arns : "${service}PostgresSecret" => arn },
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

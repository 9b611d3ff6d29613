output "host" {
  # The only endpoint is amqps://<host>:5671; its certificate is of a public authority.
  value = split(":", trimprefix(aws_mq_broker.this.instances[0].endpoints[0], "amqps://"))[0]
}

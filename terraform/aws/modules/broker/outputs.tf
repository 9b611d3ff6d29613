output "host" {
  # amqps://<host>:5671
  value = split(":", trimprefix(aws_mq_broker.this.instances[0].endpoints[0], "amqps://"))[0]
}

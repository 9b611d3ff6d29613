output "vpc_id" {
  value = aws_vpc.this.id
}

output "private_subnets" {
  value = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "store_subnets" {
  value = [for zone in var.zones : aws_subnet.stores[zone].id]
}

output "stores_cidr" {
  value = local.stores_cidr
}

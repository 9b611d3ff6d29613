output "registry" {
  value = length(var.images) > 0 ? split("/", values(aws_ecr_repository.this)[0].repository_url)[0] : null
}

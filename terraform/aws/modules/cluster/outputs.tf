output "name" {
  value = aws_eks_cluster.this.name
}

output "accounts" {
  description = "Who vouches for service accounts."
  value = {
    issuer       = trimprefix(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://")
    provider_arn = aws_iam_openid_connect_provider.this.arn
  }
}

output "security_group" {
  description = "Of everything in the cluster."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

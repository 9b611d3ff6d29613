# What the workload payments may do in Vault: read its own secrets, and end its own login.
path "stoa/data/payments" {
  capabilities = ["read"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

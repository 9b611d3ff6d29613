# What the workload inventory may do in Vault: read its own secrets, and end its own login.
path "stoa/data/inventory" {
  capabilities = ["read"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

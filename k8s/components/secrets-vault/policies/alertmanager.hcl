# What the workload alertmanager may do in Vault: read its own secrets, and end its own login.
path "stoa/data/alertmanager" {
  capabilities = ["read"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

# What the workload prober may do in Vault: read its own secrets, and end its own login.
path "stoa/data/prober" {
  capabilities = ["read"]
}
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/revoke-self" {
  capabilities = ["update"]
}

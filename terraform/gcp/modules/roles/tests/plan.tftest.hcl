# Asserts on what this module alone would make; accounts have their addresses only when they are there, so it is "applied".

mock_provider "google" {}

override_resource {
  target = google_service_account.this["orders"]
  values = {
    name  = "projects/shop-1/serviceAccounts/stoa-orders@shop-1.iam.gserviceaccount.com"
    email = "stoa-orders@shop-1.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.this["cart"]
  values = {
    name  = "projects/shop-1/serviceAccounts/stoa-cart@shop-1.iam.gserviceaccount.com"
    email = "stoa-cart@shop-1.iam.gserviceaccount.com"
  }
}

override_resource {
  target = google_service_account.this["grafana"]
  values = {
    name  = "projects/shop-1/serviceAccounts/stoa-grafana@shop-1.iam.gserviceaccount.com"
    email = "stoa-grafana@shop-1.iam.gserviceaccount.com"
  }
}

variables {
  cluster    = { pool = "shop-1.svc.id.goog" }
  secrets    = { orders = "projects/shop-1/secrets/shop_orders", cart = "projects/shop-1/secrets/shop_cart", grafana = "projects/shop-1/secrets/shop_grafana" }
  namespaces = { grafana = "observability" }
}

run "a_service_reads_its_own_secret_and_no_other" {
  assert {
    condition     = alltrue([for service, m in google_secret_manager_secret_iam_member.this : m.secret_id == var.secrets[service] && m.member == "serviceAccount:stoa-${service}@shop-1.iam.gserviceaccount.com"])
    error_message = "An account reads what is not its own."
  }

  assert {
    condition     = alltrue([for m in google_secret_manager_secret_iam_member.this : m.role == "roles/secretmanager.secretAccessor"])
    error_message = "An account may more than it needs."
  }

  assert {
    condition     = alltrue([for service, m in google_service_account_iam_member.this : m.member == "serviceAccount:shop-1.svc.id.goog[${service == "grafana" ? "observability" : "stoa"}/${service}]" && m.role == "roles/iam.workloadIdentityUser" && endswith(m.service_account_id, "/stoa-${service}@shop-1.iam.gserviceaccount.com")])
    error_message = "An account is opened by somebody else."
  }

  assert {
    condition     = length(google_secret_manager_secret_iam_member.this) == 3 && length(google_service_account_iam_member.this) == 3
    error_message = "There are more ways in than services."
  }
}

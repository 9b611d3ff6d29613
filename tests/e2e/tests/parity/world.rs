//! For every external method a situation in which it succeeds, made anew at each call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Customer, order, product};
use crate::platform::{Platform, eventually};

/// Who calls, with which request: one that is answered with a success.
#[derive(Clone)]
pub struct Situation {
    pub token: Option<String>,
    /// The whole request in proto JSON, names as in the contract.
    pub request: Value,
    /// Beside authorization, content type and `idempotency-key`.
    pub headers: Vec<(String, String)>,
}

/// A fresh situation for a method. Those for one method differ in generated values only.
pub async fn situation(platform: &Platform, method: &Method) -> Situation {
    let short = method.path.split('.').next_back().unwrap_or_default();
    let world = World { platform };
    match short {
        "CartService/GetCart" | "CartService/ClearCart" => of(&world.shopper().await.0, json!({})),
        "CartService/AddItem" | "CartService/UpdateItem" => {
            let (customer, product) = world.shopper().await;
            of(&customer, json!({"product_id": product, "quantity": 2}))
        }
        "CartService/RemoveItem" => {
            let (customer, product) = world.shopper().await;
            of(&customer, json!({"product_id": product}))
        }
        _ if short.starts_with("Catalog") || short.starts_with("Inventory") => {
            world.of_the_catalogue(short).await
        }
        _ if short.starts_with("Address") => world.of_addresses(short).await,
        _ if short.starts_with("Erasure") => world.of_erasures(short).await,
        _ if short.starts_with("Role") => world.of_roles(short).await,
        _ if short.starts_with("Account") => world.of_account(short).await,
        _ if short.starts_with("Client") => world.of_clients(short).await,
        _ if short.starts_with("Security") => world.of_security(short).await,
        _ if short.starts_with("Identity") => world.of_accounts(short).await,
        _ if short.starts_with("Order") => world.of_orders(short).await,
        _ if short.starts_with("Saga") => world.of_sagas(short).await,
        _ if short.starts_with("Payment") => world.of_payments(short).await,
        _ => world.of_notifications(short).await,
    }
}

pub(super) fn unknown(method: &str) -> Situation {
    panic!("{method}: no situation is known in which it succeeds; add one to parity/world.rs")
}

pub(super) fn anybody(request: Value) -> Situation {
    Situation { token: None, request, headers: Vec::new() }
}

pub(super) fn of(customer: &Customer, request: Value) -> Situation {
    let token = customer.session["access_token"].as_str().map(str::to_owned);
    Situation { token, ..anybody(request) }
}

pub(super) struct World<'a> {
    pub(super) platform: &'a Platform,
}

impl World<'_> {
    pub(super) fn of_admin(&self, request: Value) -> Situation {
        Situation {
            token: self.platform.admin.client.token().map(str::to_owned),
            ..anybody(request)
        }
    }

    /// A new customer with a new product in the cart.
    async fn shopper(&self) -> (Customer, String) {
        let product = self.platform.admin.product(1_250, 20).await;
        let customer = self.platform.anonymous().register().await;
        customer.put_in_cart(&product, 1).await;
        (customer, product)
    }

    /// Both mails of a registration are sent: nothing of the customer changes any more.
    pub(super) async fn greeted(&self, customer: &Customer) {
        eventually("the welcome and the request to confirm the address are sent", async || {
            let list = customer.client.get("/v1/notifications").await.ok();
            let states = list["notifications"].as_array()?.iter().map(|n| &n["email_state"]);
            let sent = states.filter(|state| *state == "DELIVERY_STATE_SENT");
            (sent.count() == 2).then_some(())
        })
        .await;
    }

    /// A new customer with a confirmed order, whose money is taken.
    async fn buyer(&self) -> (Customer, Value) {
        let (customer, _) = self.shopper().await;
        let order = customer.order("tok_visa").await.ok();
        let path = format!("/v1/payments/{}", order["payment_id"].as_str().unwrap());
        eventually("the payment is captured", async || {
            let payment = customer.client.get(&path).await.ok();
            (payment["state"] == "PAYMENT_STATE_CAPTURED").then_some(())
        })
        .await;
        (customer, order)
    }

    async fn of_the_catalogue(&self, short: &str) -> Situation {
        let id = self.platform.admin.product(1_250, 7).await;
        match short {
            "CatalogService/ListProducts" => {
                let shown = self.platform.anonymous().get(&format!("/v1/products/{id}")).await.ok();
                anybody(
                    json!({"q": shown["sku"], "page_size": 5, "order_by": "PRODUCT_ORDER_NEWEST"}),
                )
            }
            "CatalogService/GetProduct" | "InventoryService/GetStock" => {
                anybody(json!({"product_id": id}))
            }
            "CatalogService/ListCategories" => anybody(json!({})),
            "CatalogService/CreateProduct" => self.of_admin(json!({"product": product(2_400)})),
            "CatalogService/UpdateProduct" => self.of_admin(
                json!({"product_id": id, "product": {"name": "Tea kettle"}, "update_mask": "name"}),
            ),
            "CatalogService/DeleteProduct" => self.of_admin(json!({"product_id": id})),
            "InventoryService/AdjustStock" => {
                self.of_admin(json!({"product_id": id, "delta": "-2", "reason": "broken"}))
            }
            other => unknown(other),
        }
    }

    async fn of_accounts(&self, short: &str) -> Situation {
        let customer = self.platform.anonymous().register().await;
        let refresh = json!({"refresh_token": customer.session["refresh_token"]});
        let id = &customer.session["user"]["user_id"];
        match short {
            "IdentityService/Register" => {
                let email = format!("grace-{}@example.com", Uuid::now_v7().simple());
                let password = "correct horse battery";
                anybody(json!({"email": email, "password": password, "display_name": "Grace"}))
            }
            "IdentityService/Login" => {
                anybody(json!({"email": customer.email, "password": customer.password}))
            }
            "IdentityService/Refresh" | "IdentityService/Logout" => anybody(refresh),
            "IdentityService/GetMe" => of(&customer, json!({})),
            "IdentityService/UpdateMe" => of(
                &customer,
                json!({"user": {"display_name": "Countess"}, "update_mask": "displayName"}),
            ),
            "IdentityService/ListUsers" => self.of_admin(json!({"page_size": 3})),
            "IdentityService/GetUser" => self.of_admin(json!({"user_id": id})),
            "IdentityService/SetUserRoles" => {
                self.of_admin(json!({"user_id": id, "roles": ["customer", "manager"]}))
            }
            "IdentityService/GetJwks" => anybody(json!({})),
            other => unknown(other),
        }
    }

    async fn of_orders(&self, short: &str) -> Situation {
        if short == "OrderService/PlaceOrder" {
            return of(&self.shopper().await.0, order("tok_visa"));
        }
        let (customer, order) = self.buyer().await;
        match short {
            "OrderService/ListOrders" => of(&customer, json!({"page_size": 3})),
            "OrderService/GetOrder" | "OrderService/CancelOrder" | "OrderService/WatchOrder" => {
                of(&customer, json!({"order_id": order["order_id"]}))
            }
            other => unknown(other),
        }
    }

    async fn of_sagas(&self, short: &str) -> Situation {
        match short {
            // Nothing is overdue: the list is empty both times.
            "SagaService/ListSagas" => {
                return self.of_admin(json!({"filter": "SAGA_FILTER_OVERDUE", "page_size": 3}));
            }
            "SagaService/GetSaga" => {
                let (_, order) = self.buyer().await;
                let id = order["order_id"].as_str().unwrap();
                eventually("the saga has ended", async || {
                    let saga = self.platform.admin.client.get(&format!("/v1/sagas/{id}")).await;
                    (saga.ok()["ended"] == true).then_some(())
                })
                .await;
                return self.of_admin(json!({"order_id": id}));
            }
            _ => {}
        }
        let request = json!({"order_id": self.stuck_order().await, "reason": "it is stuck"});
        match short {
            "SagaService/RetrySaga" | "SagaService/CompensateSaga" => self.of_admin(request),
            other => unknown(other),
        }
    }

    /// An order whose payment cannot be made for now: its saga tries again and again.
    async fn stuck_order(&self) -> String {
        let customer = self.shopper().await.0;
        let request = customer.client.request(reqwest::Method::POST, "/v1/orders");
        let request = request.header("idempotency-key", Uuid::now_v7().to_string());
        // The answer would come when the method's time is up.
        tokio::spawn(request.json(&order("tok_unavailable")).send());
        eventually("a saga that waits for another try", async || {
            let orders = customer.client.get("/v1/orders").await.ok();
            let id = orders["orders"][0]["order_id"].as_str()?.to_owned();
            let saga = self.platform.admin.client.get(&format!("/v1/sagas/{id}")).await.ok();
            (saga["attempts"].as_i64()? > 0).then_some(id)
        })
        .await
    }

    async fn of_payments(&self, short: &str) -> Situation {
        if short == "PaymentService/ReceiveWebhook" {
            return self.webhook();
        }
        if short == "PaymentService/ReconcilePayments" {
            // Long before anybody paid here.
            let (start, end) = ("2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z");
            return self.of_admin(json!({"start_time": start, "end_time": end}));
        }
        let (customer, order) = self.buyer().await;
        let id = &order["payment_id"];
        match short {
            "PaymentService/GetPayment" => of(&customer, json!({"payment_id": id})),
            "PaymentService/RefundPayment" => {
                let amount = json!({"currency_code": "EUR", "units": "2", "nanos": 500_000_000});
                self.of_admin(json!({"payment_id": id, "amount": amount, "reason": "scratched"}))
            }
            other => unknown(other),
        }
    }

    /// A signed event of a kind that is noted and ignored.
    fn webhook(&self) -> Situation {
        let id = format!("evt_{}", Uuid::now_v7().simple());
        let event = json!({"id": id, "type": "account.updated", "data": {}}).to_string();
        let secret = self.platform.stack.layout().secret("sandbox-webhook").unwrap();
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let signature =
            sandbox::signature::sign(&secret, i64::try_from(now).unwrap(), event.as_bytes());
        let payload = json!({"content_type": "application/json", "data": STANDARD.encode(event)});
        Situation {
            headers: vec![(sandbox::signature::HEADER.to_owned(), signature)],
            ..anybody(json!({"provider": "sandbox", "payload": payload}))
        }
    }

    async fn of_notifications(&self, short: &str) -> Situation {
        let customer = self.platform.anonymous().register().await;
        match short {
            "NotificationService/ListNotifications" => {
                self.greeted(&customer).await;
                of(&customer, json!({"page_size": 3}))
            }
            // Nothing is dead: there is nothing to see and nothing to put back.
            "DeadLetterService/ListDeadLetters" => {
                self.of_admin(json!({"topic": "orders.v1.order_failed", "peek": 3}))
            }
            "DeadLetterService/RedriveDeadLetters" => {
                let (topic, reason) = ("orders.v1.order_failed", "the template is fixed");
                self.of_admin(json!({"topic": topic, "reason": reason}))
            }
            "NotificationService/GetPreferences" => of(&customer, json!({})),
            "NotificationService/UpdatePreferences" => {
                of(&customer, json!({"preferences": {"email": false}, "update_mask": "email"}))
            }
            other => unknown(other),
        }
    }
}

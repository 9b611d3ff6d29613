//! The people and the things of the matrix, all made for it and thrown away with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::{Method, sample};
use prost_reflect::FieldDescriptor;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Client, Customer, product, send};
use crate::platform::{Platform, eventually};

/// Access tokens.
pub struct People {
    pub customer: String,
    pub other: String,
    pub manager: String,
    /// Not the platform's administrator: one that the matrix may change.
    pub admin: String,
    /// Whose permissions all come from a role that an administrator made.
    pub entitled: String,
}

/// What that role permits: to read and to write, what is one's own and what is others',
/// in several services.
pub const ENTITLEMENTS: [&str; 9] = [
    "audit:read",
    "cart:write",
    "catalog:write",
    "orders:read",
    "payments:read",
    "payments:refund",
    "roles:write",
    "users:read",
    "users:write",
];

/// What calls are aimed at.
pub struct World {
    pub people: People,
    owner: Customer,
    /// Of the customer; confirmed and paid.
    order: String,
    payment: String,
    product: String,
    /// What may be deleted.
    doomed: String,
    /// Whose roles may be set.
    subject: String,
    /// Where the customer is signed in besides.
    session: String,
    /// An application that may be taken away.
    client: String,
    /// In the customer's address book; what may be deleted.
    address: String,
    doomed_address: String,
    /// A role that may be changed and taken away.
    role: String,
}

impl World {
    pub async fn build(platform: &Platform) -> Self {
        let anonymous = platform.anonymous();
        let (product, doomed) =
            (platform.admin.product(1_250, 500).await, platform.admin.product(700, 0).await);
        let (owner, other) = (anonymous.register().await, anonymous.register().await);
        let order = bought(&owner, &product).await;
        owner.put_in_cart(&product, 1).await;
        other.put_in_cart(&product, 2).await;
        let people = People {
            customer: token(&owner.session),
            other: token(&other.session),
            manager: with_role(platform, "manager").await,
            admin: with_role(platform, "admin").await,
            entitled: with_role(platform, &role(platform, &ENTITLEMENTS).await).await,
        };
        let id = |field: &str| order[field].as_str().unwrap().to_owned();
        let subject = anonymous.register().await.session["user"]["user_id"].clone();
        let subject = subject.as_str().unwrap().to_owned();
        let (order, payment) = (id("order_id"), id("payment_id"));
        let session = other_session(&anonymous, &owner).await;
        let client = json!({"display_name": "Gift finder"});
        let client = platform.admin.client.post("/v1/oauth-clients", client).await.ok();
        let client = client["client"]["client_id"].as_str().unwrap().to_owned();
        let home = json!({"label": "Home", "postal_address": postal_address()});
        let [home, work] = [
            owner.client.post("/v1/users/me/addresses", home.clone()).await.ok(),
            owner.client.post("/v1/users/me/addresses", home).await.ok(),
        ];
        let [address, doomed_address] =
            [home, work].map(|a| a["address_id"].as_str().unwrap().to_owned());
        let role = role(platform, &["users:read"]).await;
        Self {
            people,
            owner,
            order,
            payment,
            product,
            doomed,
            subject,
            session,
            client,
            address,
            doomed_address,
            role,
        }
    }

    /// The id of a thing of that kind: the customer's own where it has an owner.
    pub fn resource(&self, kind: &str, of: &FieldDescriptor) -> &str {
        match kind {
            "order" => &self.order,
            "payment" => &self.payment,
            "product" if of.full_name().contains(".DeleteProductRequest.") => &self.doomed,
            "product" => &self.product,
            "user" => &self.subject,
            "session" => &self.session,
            "client" => &self.client,
            "address" if of.full_name().contains(".DeleteAddressRequest.") => &self.doomed_address,
            "address" => &self.address,
            "role" => &self.role,
            "payment_provider" => "sandbox",
            _ => panic!(
                "{} names a {kind}, and the matrix has none: add one to e2e/src/world.rs",
                of.full_name()
            ),
        }
    }

    /// A valid request, aimed at what may be harmed.
    pub fn request(&self, method: &Method) -> Value {
        let resources = method.resources().unwrap();
        let given = |field: &FieldDescriptor| {
            let named = resources.iter().find(|(f, _)| f.full_name() == field.full_name());
            match named {
                Some((_, resource)) => Some(json!(self.resource(&resource.kind, field))),
                None => self.value(field),
            }
        };
        let input = method.descriptor.input();
        sample::message_with(&input, &given).unwrap_or_else(|e| panic!("{}: {e}", method.path))
    }

    /// Where the contract's sample would not do.
    fn value(&self, field: &FieldDescriptor) -> Option<Value> {
        let short = field.full_name().rsplit('.').take(2).collect::<Vec<_>>();
        let [name, message] = short[..] else { return None };
        Some(match (message, name) {
            (_, "product_id") => json!(self.product),
            (_, "product_ids") => json!([self.product]),
            ("CreateProductRequest", "product") => product(1_000),
            ("UpdateProductRequest", "product") => json!({"name": "Tea kettle"}),
            ("RegisterRequest", "email") => {
                json!(format!("grace-{}@example.com", Uuid::now_v7().simple()))
            }
            ("LoginRequest", "email") => json!(self.owner.email),
            ("LoginRequest", "password") => json!(self.owner.password),
            ("UpdateMeRequest", "user") => json!({"display_name": "Ada"}),
            ("RefundPaymentRequest", "amount") => {
                json!({"currency_code": "EUR", "units": "0", "nanos": 10_000_000})
            }
            // Nobody's: whoever is erased is gone from the matrix.
            ("RepeatErasuresRequest", "user_ids") => json!([Uuid::now_v7()]),
            ("UpdateRoleRequest", "role") => json!({"title": "Help desk"}),
            ("UpdateAddressRequest", "address") => json!({"label": "Work"}),
            ("ReconcilePaymentsRequest", "start_time") => json!("2001-01-01T00:00:00Z"),
            ("ReconcilePaymentsRequest", "end_time") => json!("2001-01-02T00:00:00Z"),
            ("AuthorizeRequest", "payment_token") => json!("tok_visa"),
            ("HttpBody", "content_type") => json!("application/json"),
            ("HttpBody", "data") => json!(STANDARD.encode("{}")),
            _ => return None,
        })
    }
}

/// An order that is confirmed and whose money is taken.
pub async fn bought(customer: &Customer, product: &str) -> Value {
    customer.put_in_cart(product, 1).await;
    let order = customer.order("tok_visa").await.ok();
    let path = format!("/v1/payments/{}", order["payment_id"].as_str().unwrap());
    eventually("the payment is captured", async || {
        let payment = customer.client.get(&path).await.ok();
        (payment["state"] == "PAYMENT_STATE_CAPTURED").then_some(())
    })
    .await;
    order
}

/// The token of a new account to which the administrator has given one role.
async fn with_role(platform: &Platform, role: &str) -> String {
    let anonymous: Client = platform.anonymous();
    let account = anonymous.register().await;
    let id = account.session["user"]["user_id"].as_str().unwrap();
    let path = format!("/v1/users/{id}/roles");
    let request = platform.admin.client.request(reqwest::Method::PUT, &path);
    send(request.json(&json!({"roles": [role]}))).await.ok();
    let body = json!({"email": account.email, "password": account.password});
    token(&anonymous.post("/v1/auth/login", body).await.ok())
}

/// Makes a role; answers its name.
pub async fn role(platform: &Platform, permissions: &[&str]) -> String {
    let name = format!("role-{}", Uuid::now_v7().simple());
    let role = json!({"role_id": name, "title": "Made by a test", "permissions": permissions});
    platform.admin.client.post("/v1/roles", role).await.ok();
    name
}

/// A postal address as the contract wants it.
pub fn postal_address() -> Value {
    json!({"recipient": "Ada Lovelace", "street": "12 St James's Square", "city": "London",
        "postal_code": "SW1Y 4JH", "country_code": "GB"})
}

/// Signs somebody in once more; answers the new session's id.
async fn other_session(anonymous: &Client, customer: &Customer) -> String {
    let body = json!({"email": customer.email, "password": customer.password});
    let session = anonymous.post("/v1/auth/login", body).await.ok();
    let there = anonymous.with_token(&token(&session));
    let sessions = there.get("/v1/users/me/sessions").await.ok();
    let current = sessions["sessions"].as_array().unwrap().iter().find(|s| s["current"] == true);
    current.unwrap()["session_id"].as_str().unwrap().to_owned()
}

fn token(session: &Value) -> String {
    session["access_token"].as_str().unwrap().to_owned()
}

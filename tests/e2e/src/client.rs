//! The shop as its customers call it: JSON over HTTP through the edge.

use std::net::IpAddr;

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

/// An HTTP client of the edge, signed in or not.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// What the edge answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub text: String,
}

/// A registered customer.
pub struct Customer {
    pub client: Client,
    pub email: String,
    pub password: String,
    pub session: Value,
}

/// Somebody who may change the catalogue.
pub struct Admin {
    pub client: Client,
}

impl Client {
    pub fn new(base: &str) -> Self {
        Self { http: reqwest::Client::new(), base: base.to_owned(), token: None }
    }

    /// The same client with another address of this machine.
    pub fn at_address(&self, address: IpAddr) -> Self {
        let http = reqwest::Client::builder().local_address(address).build();
        Self { http: http.expect("an HTTP client"), ..self.clone() }
    }

    /// The same client with an access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The access token, where somebody is signed in.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    /// With a fresh `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, body: Value) -> Answer {
        self.post_with_key(path, &Uuid::now_v7().to_string(), body).await
    }

    pub async fn post_with_key(&self, path: &str, key: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).header("idempotency-key", key);
        send(request.json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// Registers a new customer.
    pub async fn register(&self) -> Customer {
        let email = format!("ada-{}@example.com", Uuid::now_v7().simple());
        let password = "correct horse battery".to_owned();
        let body = json!({"email": email, "password": password, "display_name": "Ada"});
        let session = self.post("/v1/auth/register", body).await.ok();
        let client = self.with_token(session["access_token"].as_str().unwrap());
        Customer { client, email, password, session }
    }
}

impl Customer {
    pub async fn put_in_cart(&self, product: &str, quantity: i64) -> Value {
        let body = json!({"product_id": product, "quantity": quantity});
        self.client.post("/v1/cart/items", body).await.ok()
    }

    /// Orders what is in the cart.
    pub async fn order(&self, payment_token: &str) -> Answer {
        self.client.post_once("/v1/orders", order(payment_token)).await
    }
}

impl Admin {
    pub async fn sign_in(client: Client, email: &str, password: &str) -> Self {
        let body = json!({"email": email, "password": password});
        let session = client.post("/v1/auth/login", body).await.ok();
        Self { client: client.with_token(session["access_token"].as_str().unwrap()) }
    }

    /// A new product with stock; answers its id.
    pub async fn product(&self, cents: i64, stock: i64) -> String {
        let product = self.client.post("/v1/products", product(cents)).await.ok();
        let id = product["product_id"].as_str().unwrap().to_owned();
        if stock > 0 {
            let body = json!({"delta": stock.to_string(), "reason": "first delivery"});
            self.client.post_once(&format!("/v1/products/{id}/stock:adjust"), body).await.ok();
        }
        id
    }
}

impl Answer {
    /// The body of a success; fails with the answer otherwise.
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "expected success: {} {}", self.status, self.text);
        self.body
    }

    /// The stable reason of a refusal.
    pub fn reason(&self) -> &str {
        let details = self.body["details"].as_array().map(Vec::as_slice).unwrap_or_default();
        details.iter().find_map(|d| d["reason"].as_str()).unwrap_or_default()
    }

    /// The fields that a refusal names.
    pub fn fields(&self) -> Vec<String> {
        let details = self.body["details"].as_array().cloned().unwrap_or_default();
        let lists = details.iter().filter_map(|d| d["field_violations"].as_array().cloned());
        lists.flatten().map(|v| v["field"].as_str().unwrap().to_owned()).collect()
    }
}

/// The body of an order.
pub fn order(payment_token: &str) -> Value {
    json!({
        "payment_token": payment_token,
        "shipping_address": {
            "recipient": "Ada Lovelace",
            "street": "12 St James's Square",
            "city": "London",
            "postal_code": "SW1Y 4JH",
            "country_code": "GB"
        }
    })
}

/// The body of a new product.
pub fn product(cents: i64) -> Value {
    let sku = format!("TST-{}", &Uuid::now_v7().simple().to_string()[20..]);
    json!({
        "sku": sku,
        "name": format!("Kettle {sku}"),
        "description": "Boils water.",
        "category": "kitchen",
        "price": {
            "currency_code": "EUR",
            "units": (cents / 100).to_string(),
            "nanos": cents % 100 * 10_000_000
        }
    })
}

/// Cents of a `google.type.Money`.
pub fn cents(money: &Value) -> i64 {
    let units: i64 = money["units"].as_str().unwrap_or("0").parse().unwrap();
    units * 100 + money["nanos"].as_i64().unwrap_or(0) / 10_000_000
}

pub async fn send(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("the edge answers");
    let status = answer.status();
    let text = answer.text().await.expect("the body is text");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, body, text }
}

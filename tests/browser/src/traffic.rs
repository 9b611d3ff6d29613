//! Customers who look around, buy, and sometimes cannot pay.

use std::sync::Arc;
use std::time::Duration;

use e2e::client::{Client, Customer};
use e2e::platform::Platform;
use rand::Rng as _;
use tokio::task::JoinSet;

/// How customers pay: most well, some not.
const TOKENS: [&str; 10] = [
    "tok_visa",
    "tok_visa",
    "tok_mastercard",
    "tok_visa",
    "tok_visa",
    "tok_slow",
    "tok_mastercard",
    "tok_visa",
    "tok_declined",
    "tok_visa",
];

/// Customers at work, until it is dropped.
pub struct Traffic {
    _customers: JoinSet<()>,
}

/// Lets so many customers in.
pub async fn begin(platform: &Platform, customers: usize) -> Traffic {
    let mut products = Vec::new();
    for cents in [1_250, 2_400, 990, 15_900] {
        products.push(platform.admin.product(cents, 1_000_000).await);
    }
    let (products, mut set) = (Arc::new(products), JoinSet::new());
    for _ in 0..customers {
        let customer = platform.anonymous().register().await;
        set.spawn(shops(platform.anonymous(), customer, products.clone()));
    }
    Traffic { _customers: set }
}

/// What is refused, or not there while a service is stopped, is part of it.
async fn shops(anonymous: Client, customer: Customer, products: Arc<Vec<String>>) {
    loop {
        let product = products[rand::rng().random_range(0..products.len())].clone();
        let token = TOKENS[rand::rng().random_range(0..TOKENS.len())];
        anonymous.get("/v1/products?page_size=10").await;
        anonymous.get(&format!("/v1/products/{product}")).await;
        pause().await;
        let item = serde_json::json!({"product_id": product, "quantity": 1});
        customer.client.post("/v1/cart/items", item).await;
        customer.client.get("/v1/cart").await;
        pause().await;
        customer.order(token).await;
        customer.client.get("/v1/orders").await;
        customer.client.get("/v1/notifications").await;
        pause().await;
    }
}

/// People think.
async fn pause() {
    let millis = rand::rng().random_range(60..260);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

//! Customers who order, and note what they were told.

pub mod client;
mod customer;
mod notes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use stack::Stack;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::client::{Account, Edge};
use self::customer::Customer;
pub use self::notes::{Heard, Notes, Purchase, Told};

/// Products with plenty of pieces, and products that sell out.
const PLENTY: (usize, i64) = (8, 100_000);
const SCARCE: (usize, i64) = (4, 60);
/// How long it may take until the shop is open.
const OPENING: Duration = Duration::from_secs(60);
/// How long customers insist on an answer after everything was made good.
const INSISTENCE: Duration = Duration::from_secs(45);

/// A product and how many pieces there were at first.
#[derive(Debug, Clone)]
pub struct Product {
    pub id: Uuid,
    pub pieces: i64,
}

/// The shop, with customers in it.
pub struct Shop {
    pub products: Vec<Product>,
    pub notes: Arc<Notes>,
    customers: JoinSet<Vec<Purchase>>,
    closing: CancellationToken,
    insisting: CancellationToken,
}

impl Shop {
    /// Fills the shelves and lets customers in.
    pub async fn open(stack: &Stack, seed: u64, customers: usize) -> Result<Self> {
        let edge = Edge::new(&stack.edge_url())?;
        let products = shelves(stack, &edge).await?;
        let ids: Arc<[Uuid]> = products.iter().map(|product| product.id).collect();
        let registering = (0..customers).map(|_| insist(async || edge.register().await));
        let accounts: Vec<_> = stream::iter(registering).buffered(2).try_collect().await?;
        let mut shop = Self {
            products,
            notes: Arc::default(),
            customers: JoinSet::new(),
            closing: CancellationToken::new(),
            insisting: CancellationToken::new(),
        };
        for (number, account) in accounts.into_iter().enumerate() {
            let customer = Customer {
                edge: edge.clone(),
                account,
                products: Arc::clone(&ids),
                notes: Arc::clone(&shop.notes),
                rng: StdRng::seed_from_u64(seed ^ (number as u64 + 1) << 32),
                closing: shop.closing.clone(),
                insisting: shop.insisting.clone(),
            };
            shop.customers.spawn(customer.shop());
        }
        Ok(shop)
    }

    /// Nobody begins anything any more; what was begun is seen to its end, or given
    /// up after a while. Answers everything that was tried to buy.
    pub async fn close(&mut self) -> Result<Vec<Purchase>> {
        self.closing.cancel();
        let insisting = self.insisting.clone();
        tokio::spawn(async move {
            tokio::time::sleep(INSISTENCE).await;
            insisting.cancel();
        });
        let mut all = Vec::new();
        while let Some(purchases) = self.customers.join_next().await {
            all.extend(purchases.context("a customer panicked")?);
        }
        Ok(all)
    }
}

async fn shelves(stack: &Stack, edge: &Edge) -> Result<Vec<Product>> {
    let (email, password) = (stack.admin_email(), stack.admin_password()?);
    let admin = insist(async || edge.sign_in(email, &password).await).await?;
    let (plenty, scarce) = (vec![PLENTY.1; PLENTY.0], vec![SCARCE.1; SCARCE.0]);
    let mut products = Vec::new();
    for (number, pieces) in plenty.into_iter().chain(scarce).enumerate() {
        let id = insist(async || create(edge, &admin, number).await).await?;
        let body = json!({"delta": pieces.to_string(), "reason": "first delivery"});
        let (path, key) = (format!("/v1/products/{id}/stock:adjust"), Uuid::now_v7());
        insist(async || edge.post(&admin, &path, Some(key), &body).await?.success()).await?;
        products.push(Product { id, pieces });
    }
    Ok(products)
}

async fn create(edge: &Edge, admin: &Account, number: usize) -> Result<Uuid> {
    let body = json!({
        "sku": format!("CHAOS-{}", &Uuid::now_v7().simple().to_string()[20..]),
        "name": format!("Thing {number}"),
        "description": "Somebody wants it.",
        "category": "kitchen",
        "price": {"currency_code": "EUR", "units": (number + 1).to_string(), "nanos": 900_000_000}
    });
    let product = edge.post(admin, "/v1/products", None, &body).await?.success()?;
    Ok(Uuid::parse_str(product["product_id"].as_str().context("no product_id")?)?)
}

/// Tries until it works, for a while: a machine that has just started everything may
/// be slow to answer.
async fn insist<T>(attempt: impl AsyncFn() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + OPENING;
    loop {
        match attempt().await {
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            done => return done,
        }
    }
}

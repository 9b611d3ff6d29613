//! Fills an empty catalogue through the public API, as a shop's staff would.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::probe::client;

/// Requests in flight.
const WORKERS: usize = 16;
const NANOS_PER_MINOR: i64 = 10_000_000;

/// A line of `seeds/catalogue.json`.
#[derive(Debug, Clone, Deserialize)]
struct Seed {
    sku: String,
    name: String,
    description: String,
    category: String,
    /// In hundredths of the currency.
    price_minor: i64,
    currency: String,
    stock: i64,
}

impl Seed {
    fn product(&self) -> Value {
        json!({
            "sku": self.sku,
            "name": self.name,
            "description": self.description,
            "category": self.category,
            "price": {
                "currency_code": self.currency,
                "units": (self.price_minor / 100).to_string(),
                "nanos": self.price_minor % 100 * NANOS_PER_MINOR,
            },
        })
    }
}

/// Who talks to which edge.
#[derive(Debug, Clone)]
pub(crate) struct Seeder {
    http: Client,
    edge: String,
    token: String,
}

impl Seeder {
    /// Signs in at the edge.
    pub(crate) async fn sign_in(edge: &str, email: &str, password: &str) -> Result<Self> {
        let http = client()?;
        let credentials = json!({ "email": email, "password": password });
        let request = http.post(format!("{edge}/v1/auth/login")).json(&credentials);
        let session = good(send(&request).await?)?;
        let token = text(&session, "access_token")?;
        Ok(Self { http, edge: edge.to_owned(), token })
    }

    /// Adds what `file` lists and the catalogue lacks; answers how many
    /// products it added. A catalogue that was filled to the end is left alone.
    pub(crate) async fn fill(&self, file: &Path) -> Result<usize> {
        let seeds = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let seeds: Vec<Seed> = serde_json::from_str(&seeds)?;
        let count = seeds.len();
        let queue = Arc::new(Mutex::new(seeds));
        let mut workers: JoinSet<Result<()>> = JoinSet::new();
        for _ in 0..WORKERS {
            let (seeder, queue) = (self.clone(), queue.clone());
            workers.spawn(async move {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(seed) = next else { return Ok(()) };
                    seeder.add(&seed).await.with_context(|| format!("product {}", seed.sku))?;
                }
            });
        }
        while let Some(worker) = workers.join_next().await {
            worker.map_err(|error| anyhow!("a worker panicked: {error}"))??;
        }
        Ok(count)
    }

    /// Whether no product is on sale.
    pub(crate) async fn is_empty(&self) -> Result<bool> {
        let request = self.http.get(format!("{}/v1/products?page_size=1", self.edge));
        let page = good(send(&request).await?)?;
        Ok(page["products"].as_array().is_none_or(Vec::is_empty))
    }

    /// Makes an account that is marked as nobody's: what it orders is not business.
    pub(crate) async fn mark_synthetic(&self, email: &str, password: &str) -> Result<()> {
        let credentials = json!({ "email": email, "password": password });
        let login = self.http.post(format!("{}/v1/auth/login", self.edge)).json(&credentials);
        let mut answer = send(&login).await?;
        if answer.0 == StatusCode::UNAUTHORIZED {
            let account = json!({ "email": email, "password": password, "display_name": "Prober" });
            let register = format!("{}/v1/auth/register", self.edge);
            answer = send(&self.http.post(register).json(&account)).await?;
        }
        let user = text(&good(answer)?["user"], "user_id")?;
        let request = self
            .http
            .put(format!("{}/v1/users/{user}/roles", self.edge))
            .bearer_auth(&self.token)
            .json(&json!({ "roles": ["synthetic"] }));
        good(send(&request).await?).map(drop)
    }

    async fn add(&self, seed: &Seed) -> Result<()> {
        let url = format!("{}/v1/products", self.edge);
        let request = self.http.post(url).bearer_auth(&self.token).json(&seed.product());
        let answer = send(&request).await?;
        if answer.0 == StatusCode::CONFLICT && answer.1.to_string().contains("SKU_TAKEN") {
            return Ok(());
        }
        let product = text(&good(answer)?, "product_id")?;
        let request = self
            .http
            .post(format!("{}/v1/products/{product}/stock:adjust", self.edge))
            .bearer_auth(&self.token)
            .header("Idempotency-Key", format!("seed-{}", seed.sku))
            .json(&json!({ "delta": seed.stock.to_string(), "reason": "initial stock" }));
        good(send(&request).await?).map(drop)
    }
}

/// Sends a request, patiently where the edge asks for patience.
async fn send(request: &RequestBuilder) -> Result<(StatusCode, Value)> {
    for attempt in 1_u64.. {
        let request = request.try_clone().context("a request with a stream")?;
        let response = request.send().await?;
        let status = response.status();
        let busy = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
        if attempt == 10 || !busy.contains(&status) {
            let body = response.text().await?;
            return Ok((status, serde_json::from_str(&body).unwrap_or(Value::String(body))));
        }
        tokio::time::sleep(Duration::from_millis(100 * attempt)).await;
    }
    unreachable!("the loop ends by returning")
}

fn good((status, body): (StatusCode, Value)) -> Result<Value> {
    if !status.is_success() {
        bail!("the edge answered {status}: {body}");
    }
    Ok(body)
}

fn text(body: &Value, field: &str) -> Result<String> {
    Ok(body[field].as_str().with_context(|| format!("no {field} in the answer"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_written_as_units_and_nanos() {
        let seed = Seed {
            sku: "KIT-0001".into(),
            name: "Kettle".into(),
            description: "Boils.".into(),
            category: "kitchen".into(),
            price_minor: 1299,
            currency: "EUR".into(),
            stock: 40,
        };
        let price = json!({ "currency_code": "EUR", "units": "12", "nanos": 990_000_000 });
        assert_eq!(seed.product()["price"], price);
    }
}

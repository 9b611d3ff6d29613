//! What customers know: their own record, to be held against the stores.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;
use uuid::Uuid;

/// One try to buy something, with one idempotency key.
#[derive(Debug, Clone)]
pub struct Purchase {
    pub user_id: Uuid,
    pub key: Uuid,
    pub payment_token: &'static str,
    /// What the shop acknowledged, each time it did.
    pub told: Vec<Told>,
    /// The reason of a definite refusal.
    pub refused: Option<String>,
    /// The customer asked for the order to be cancelled.
    pub cancel_asked: bool,
    /// What the shop answered to that, if it agreed.
    pub cancel_told: Option<Told>,
}

/// An order as it was answered.
#[derive(Debug, Clone)]
pub struct Told {
    pub order_id: String,
    pub state: String,
    /// In minor units.
    pub total: i64,
}

/// How the whole shop is doing.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    requests: u64,
    failures: u64,
    acknowledged: Vec<Instant>,
}

impl Notes {
    /// A request was sent; `answered` says whether it came to anything definite.
    pub fn request(&self, answered: bool) {
        let mut log = self.lock();
        log.requests += 1;
        log.failures += u64::from(!answered);
    }

    /// A new order was acknowledged.
    pub fn acknowledged(&self) {
        self.lock().acknowledged.push(Instant::now());
    }

    /// How many requests were sent, and how many of them came to nothing definite.
    pub fn requests(&self) -> (u64, u64) {
        let log = self.lock();
        (log.requests, log.failures)
    }

    /// When orders were acknowledged, in order.
    pub fn acknowledgements(&self) -> Vec<Instant> {
        self.lock().acknowledged.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    pub fn read(order: &Value) -> Option<Self> {
        let total = &order["total"];
        let units: i64 = total["units"].as_str().unwrap_or("0").parse().ok()?;
        Some(Self {
            order_id: order["order_id"].as_str()?.to_owned(),
            state: order["state"].as_str()?.trim_start_matches("ORDER_STATE_").to_lowercase(),
            total: units * 100 + total["nanos"].as_i64().unwrap_or(0) / 10_000_000,
        })
    }
}

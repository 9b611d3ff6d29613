//! What customers know: their own record, to be held against the stores.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use serde_json::Value;
use uuid::Uuid;

use super::client::Answer;

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

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Done,
    /// Asking again would not change it: the status and the reason.
    Refused(String),
    /// Nothing definite: the status and the reason, or that there was no answer.
    Open(String),
}

/// How the whole shop is doing.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    heard: Vec<(Instant, Heard)>,
    acknowledged: Vec<Instant>,
}

impl Notes {
    /// A request came to this.
    pub fn heard(&self, heard: Heard) {
        self.lock().heard.push((Instant::now(), heard));
    }

    /// A new order was acknowledged.
    pub fn acknowledged(&self) {
        self.lock().acknowledged.push(Instant::now());
    }

    /// How many requests were sent, and how many of them came to nothing definite.
    pub fn requests(&self) -> (u64, u64) {
        let log = self.lock();
        let open = log.heard.iter().filter(|(_, heard)| !heard.is_definite()).count();
        (log.heard.len() as u64, open as u64)
    }

    /// What every request between two moments came to.
    pub fn between(&self, from: Instant, to: Instant) -> Vec<Heard> {
        let log = self.lock();
        let then = log.heard.iter().filter(|(at, _)| (from..to).contains(at));
        then.map(|(_, heard)| heard.clone()).collect()
    }

    /// When orders were acknowledged, in order.
    pub fn acknowledgements(&self) -> Vec<Instant> {
        self.lock().acknowledged.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// Whether asking again would not change it.
    pub fn is_definite(&self) -> bool {
        !matches!(self, Self::Open(_))
    }

    /// What was answered, where that was no success.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Refused(words) | Self::Open(words) => Some(words),
        }
    }
}

impl From<&Result<Answer>> for Heard {
    fn from(answer: &Result<Answer>) -> Self {
        let Ok(answer) = answer else { return Self::Open("no answer".to_owned()) };
        let said = format!("{} {}", answer.status, answer.reason());
        match answer.status {
            200..300 => Self::Done,
            400 | 403 | 409 | 412 | 422 => Self::Refused(said),
            _ => Self::Open(said),
        }
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

//! The two books that are compared: the provider's and ours.

use std::any::Any;

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use super::ProviderError;
use crate::core::Error;
use crate::domain::{Account, Charge};

/// From `start`, inclusive, until `end`, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: OffsetDateTime,
    pub end: OffsetDateTime,
}

/// Which charges the provider lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Those made in the window.
    Made,
    /// Those of which something was given back in the window; one for each time.
    Refunded,
}

/// A charge in the provider's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Absent: its reference is not one of ours.
    pub payment_id: Option<Uuid>,
    pub charge: Charge,
    pub made_at: OffsetDateTime,
}

/// A page of the provider's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub entries: Vec<Entry>,
    /// Where the next page begins; absent on the last.
    pub next: Option<String>,
}

/// The provider's books.
#[async_trait]
pub trait Books: Send + Sync {
    /// One request, one page. Charges that are still being made may be missing.
    async fn page(
        &self,
        listing: Listing,
        window: Window,
        after: Option<&str>,
    ) -> Result<Page, ProviderError>;
}

/// Our books: payments with what the ledger has booked for them.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Those of these payments that exist.
    async fn of(&self, payment_ids: &[Uuid]) -> Result<Vec<Account>, Error>;

    /// Payments at a provider that were begun, or that the ledger has booked
    /// something for, in the window; by id, after an id.
    async fn active(
        &self,
        provider: &str,
        window: Window,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Account>, Error>;

    /// The right to compare by the clock, for one process at a time; absent while
    /// another has it.
    async fn take_turn(&self) -> Result<Option<Turn>, Error>;
}

/// A right that ends when it is dropped.
pub struct Turn(#[allow(dead_code)] Box<dyn Any + Send>);

impl Turn {
    /// Holds what holds the right.
    pub fn held_by(holder: impl Any + Send) -> Self {
        Self(Box::new(holder))
    }
}

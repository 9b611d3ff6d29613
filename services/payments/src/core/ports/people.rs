//! What is known of people.

use async_trait::async_trait;
use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::Payment;

/// A refund, as it is shown to the person it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRecord {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub amount: Money,
    /// `pending`, `succeeded` or `failed`.
    pub state: String,
    pub reason: String,
    pub created_at: OffsetDateTime,
    /// The person asked for it; otherwise it is about one of their payments.
    pub requested: bool,
}

/// What is known of people.
#[async_trait]
pub trait People: Send + Sync {
    /// Cuts the user's payments and refunds that are settled off from the user, and
    /// takes no new ones from now on. True when none is left that is not settled.
    async fn erase(&self, user: Uuid) -> Result<bool, Error>;

    /// The user's payments, the oldest first, those younger than `after`.
    async fn payments(&self, user: Uuid, after: Uuid, limit: i64) -> Result<Vec<Payment>, Error>;

    /// Refunds of the user's payments and those that the user asked for.
    async fn refunds(&self, user: Uuid, limit: i64) -> Result<Vec<RefundRecord>, Error>;

    /// Removes the tombstones of those who were erased long ago; answers how many.
    async fn forget_erased(&self) -> Result<u64, Error>;
}

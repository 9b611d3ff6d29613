//! What the use cases need from outside.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::Error;
use crate::domain::{Adjustment, Stock, Wanted};

/// The stock of products. A stock that falls low is published together with the
/// change that made it so; the same goes for [`Reservations`].
#[async_trait]
pub trait Stocks: Send + Sync {
    /// A product's stock; nothing of everything for an unknown product.
    async fn get(&self, product: Uuid) -> Result<Stock, Error>;

    /// Changes a product's stock, once per user and key.
    async fn adjust(&self, adjustment: &Adjustment, now: OffsetDateTime) -> Result<Stock, Error>;
}

/// The reservations of orders.
#[async_trait]
pub trait Reservations: Send + Sync {
    /// Sets stock aside for a while, everything that is wanted or nothing. Answers
    /// until when; for an order that has a reservation already, until when that one
    /// holds. The store's clock counts, which is the same for every replica.
    async fn reserve(
        &self,
        order: Uuid,
        wanted: &[Wanted],
        ttl: Duration,
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime, Error>;

    /// Sells what is set aside; after its time, what is still there.
    async fn commit(&self, order: Uuid, now: OffsetDateTime) -> Result<(), Error>;

    /// Puts back what was set aside or sold, and closes the order's reservation.
    async fn release(&self, order: Uuid, now: OffsetDateTime) -> Result<(), Error>;

    /// Puts back what is set aside beyond its time, for at most `limit` orders.
    /// Answers for how many.
    async fn expire(&self, now: OffsetDateTime, limit: usize) -> Result<usize, Error>;

    /// Forgets at most `limit` reservations that were closed before then. Answers
    /// how many.
    async fn purge(&self, closed_before: OffsetDateTime, limit: usize) -> Result<usize, Error>;
}

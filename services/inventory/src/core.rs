//! What the service does.

pub mod error;
pub mod figures;
pub mod ports;
mod sweeper;

use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub use self::error::Error;
use self::ports::{Reservations, Stocks};
pub use self::sweeper::Sweeper;
use crate::domain::{Adjustment, Retention, Stock, merge};

/// The use cases. Each of them may run again with the same order or key and has
/// its effect once.
pub struct Inventory {
    stocks: Arc<dyn Stocks>,
    reservations: Arc<dyn Reservations>,
    retention: Retention,
}

impl Inventory {
    pub fn new(
        stocks: Arc<dyn Stocks>,
        reservations: Arc<dyn Reservations>,
        retention: Retention,
    ) -> Self {
        Self { stocks, reservations, retention }
    }

    /// A product's stock; none for a product that never had any.
    pub async fn stock(&self, product: Uuid) -> Result<Stock, Error> {
        self.stocks.get(product).await
    }

    /// Adds pieces to a product's stock, or takes some away.
    pub async fn adjust(&self, adjustment: &Adjustment) -> Result<Stock, Error> {
        self.stocks.adjust(adjustment, types::now()).await
    }

    /// Sets stock aside for an order, all lines or none. Answers until when.
    pub async fn reserve(
        &self,
        order: Uuid,
        lines: impl IntoIterator<Item = (Uuid, i64)>,
        ttl: Duration,
    ) -> Result<OffsetDateTime, Error> {
        let (wanted, now) = (merge(lines), types::now());
        if self.retention.may_have_forgotten(order, now) {
            return Err(Error::Forgotten(order));
        }
        self.reservations.reserve(order, &wanted, ttl, now).await
    }

    /// Turns an order's reservation into a sale.
    pub async fn commit(&self, order: Uuid) -> Result<(), Error> {
        self.reservations.commit(order, types::now()).await
    }

    /// Puts an order's stock back, and lets it have none later.
    pub async fn release(&self, order: Uuid) -> Result<(), Error> {
        let now = types::now();
        if self.retention.may_have_forgotten(order, now) {
            tracing::warn!(order.id = %order, "released so late that a sale may be forgotten");
        }
        self.reservations.release(order, now).await
    }
}

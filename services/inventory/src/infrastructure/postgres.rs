//! Everything that this service keeps in PostgreSQL.
//!
//! Locks are taken in one order everywhere, so nothing deadlocks: first the
//! adjustment's key or the order's reservation, then stock by product id.

mod moves;
mod reservations;
mod stock;

use proto::inventory::v1::StockLow;
pub use reservations::PostgresReservations;
use sqlx::PgConnection;
pub use stock::PostgresStock;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::falls_low;

/// A database error that no use case knows: either it passes or it is our fault.
fn failed(error: sqlx::Error) -> Error {
    if postgres::is_outage(&error) { Error::unavailable(error) } else { Error::internal(error) }
}

/// Publishes that a stock is low, when this change made it so.
async fn publish_low(
    tx: &mut PgConnection,
    product: Uuid,
    before: i64,
    after: i64,
    threshold: i64,
) -> Result<(), Error> {
    if !falls_low(before, after, threshold) {
        return Ok(());
    }
    let fact = StockLow { product_id: product.to_string(), available: after, threshold };
    events::publish(tx, &fact).await.map(drop).map_err(failed)
}

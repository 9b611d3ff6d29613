//! The outside world: PostgreSQL and the services that checkout needs.

mod cart;
mod catalog;
mod facts;
mod inventory;
mod listener;
mod order_rows;
mod payments;
mod postgres_archive;
mod postgres_orders;
mod postgres_people;
mod postgres_sagas;
mod saga_desk;
mod saga_rows;
mod statuses;

pub use cart::GrpcCarts;
pub use catalog::GrpcPrices;
pub use inventory::GrpcStock;
pub use listener::listen;
pub use payments::GrpcPayments;
pub use postgres_archive::PostgresArchive;
pub use postgres_orders::PostgresOrders;
pub use postgres_people::PostgresPeople;
pub use postgres_sagas::PostgresSagas;

use crate::core::Error;

/// What a failed query means to a caller: whether the database is away or we are
/// wrong.
fn database_error(error: sqlx::Error) -> Error {
    if postgres::is_outage(&error) {
        tracing::warn!(error = %error, "the database does not answer");
        return Error::Unavailable("the database does not answer".to_owned());
    }
    Error::Internal(format!("database: {error}"))
}

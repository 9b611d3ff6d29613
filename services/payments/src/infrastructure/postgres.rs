//! All SQL of the service, one file per aggregate.

mod accounts;
mod ledger;
mod payments;
mod people;
mod refunds;
mod row;
mod webhooks;

use std::time::Duration;

pub use accounts::PostgresAccounts;
pub use payments::PostgresPayments;
pub use people::PostgresPeople;
pub use refunds::PostgresRefunds;
pub use webhooks::PostgresWebhooks;

use crate::core::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if postgres::is_outage(&error) { Self::unavailable(error) } else { Self::store(error) }
    }
}

/// Seconds, as `make_interval` wants them.
fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

//! All SQL of the service.

mod deliveries;
mod effects;
mod notifications;
mod people;
mod wakeups;

pub use deliveries::PostgresDeliveries;
pub use effects::PostgresEffects;
pub use notifications::PostgresNotifications;
pub use people::PostgresPeople;
pub use wakeups::follow_wakeups;

use crate::core::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if postgres::is_outage(&error) { Self::unavailable(error) } else { Self::internal(error) }
    }
}

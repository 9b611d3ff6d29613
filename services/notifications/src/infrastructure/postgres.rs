//! All SQL of the service.

mod deliveries;
mod effects;
mod notifications;
mod wakeups;

pub use deliveries::PostgresDeliveries;
pub use effects::PostgresEffects;
pub use notifications::PostgresNotifications;
pub use wakeups::follow_wakeups;

use crate::core::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => {
                Self::unavailable(error)
            }
            _ => Self::internal(error),
        }
    }
}

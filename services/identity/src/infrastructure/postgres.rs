//! All SQL of the service.

mod refresh_tokens;
pub mod signing_keys;
mod users;

pub use refresh_tokens::PostgresRefreshTokens;
pub use users::PostgresUsers;

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

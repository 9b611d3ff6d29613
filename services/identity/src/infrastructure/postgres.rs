//! All SQL of the service.

mod refresh_tokens;
pub mod signing_keys;
mod users;

pub use refresh_tokens::PostgresRefreshTokens;
pub use users::PostgresUsers;

use crate::core::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if postgres::is_outage(&error) { Self::unavailable(error) } else { Self::internal(error) }
    }
}

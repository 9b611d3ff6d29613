//! All SQL of the service.

mod addresses;
mod custom_roles;
mod erasures;
mod families;
mod guesses;
mod mails;
mod oauth_clients;
mod oauth_grants;
mod personal_data;
mod refresh_tokens;
mod revocations;
mod second_factors;
mod security_events;
pub mod signing_keys;
mod users;

pub use addresses::PostgresAddresses;
pub use custom_roles::PostgresRoles;
pub use erasures::PostgresErasures;
pub use guesses::PostgresGuesses;
pub use mails::PostgresMails;
pub use oauth_clients::PostgresClients;
pub use oauth_grants::PostgresGrants;
pub use personal_data::OwnData;
pub use refresh_tokens::PostgresRefreshTokens;
pub use revocations::PostgresRevocations;
pub use second_factors::PostgresSecondFactors;
pub use security_events::PostgresAuditLog;
pub use users::PostgresUsers;

use crate::core::Error;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if postgres::is_outage(&error) { Self::unavailable(error) } else { Self::internal(error) }
    }
}

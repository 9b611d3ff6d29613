//! PostgreSQL, Argon2 and JSON Web Tokens.

pub mod passwords;
pub mod postgres;
pub mod signing;

pub use passwords::{Argon2Config, Argon2Passwords};
pub use postgres::{PostgresRefreshTokens, PostgresUsers};
pub use signing::Es256Keys;

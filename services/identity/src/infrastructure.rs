//! PostgreSQL, Argon2, JSON Web Tokens, and the services that keep personal data.

pub mod elsewhere;
pub mod passwords;
pub mod postgres;
pub mod sealing;
pub mod signing;

pub use passwords::{Argon2Config, Argon2Passwords};
pub use postgres::{
    OwnData, PostgresAddresses, PostgresAuditLog, PostgresClients, PostgresErasures,
    PostgresGrants, PostgresGuesses, PostgresMails, PostgresRefreshTokens, PostgresRevocations,
    PostgresRoles, PostgresSecondFactors, PostgresUsers,
};
pub use sealing::Sealing;
pub use signing::Es256Keys;

//! What the use cases need from outside.

use async_trait::async_trait;
use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Error;
use crate::domain::{NewToken, TokenHash, User, UserChange};

/// An account with what its password is checked against.
pub struct Credentials {
    pub user: User,
    /// PHC string format.
    pub password_hash: SecretString,
}

/// Where accounts are kept.
#[async_trait]
pub trait Users: Send + Sync + 'static {
    /// Adds an account, publishes that it exists, and keeps its first refresh
    /// token where there is one: all or nothing.
    ///
    /// Fails with [`Error::EmailTaken`].
    async fn add(
        &self,
        user: &User,
        password_hash: &SecretString,
        first: Option<&NewToken>,
    ) -> Result<(), Error>;

    /// The account with this e-mail address in any case.
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, Error>;

    async fn get(&self, id: Uuid) -> Result<Option<User>, Error>;

    /// At most `limit` accounts, newest first, that are older than `before`.
    async fn list(&self, before: Option<Uuid>, limit: i64) -> Result<Vec<User>, Error>;

    /// Applies a change while nobody else changes the account or, for roles, who
    /// is an admin.
    ///
    /// Fails with [`Error::UserNotFound`] and [`Error::Rule`].
    async fn change(&self, id: Uuid, change: UserChange) -> Result<User, Error>;
}

/// What came of exchanging a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The next token is in force; the account as it is now.
    Done(User),
    /// The token was unknown, expired or revoked.
    Refused,
    /// The token had been used before: this user's family is revoked now.
    Reused(Uuid),
}

/// Where refresh tokens are kept.
#[async_trait]
pub trait RefreshTokens: Send + Sync + 'static {
    /// Keeps the first token of a new family.
    async fn start(&self, user: Uuid, token: &NewToken) -> Result<(), Error>;

    /// Exchanges a token for the next of its family; of two attempts with the same
    /// token one succeeds.
    async fn rotate(&self, spent: TokenHash, next: &NewToken) -> Result<Rotation, Error>;

    /// Revokes the family of a token; unknown tokens are no error.
    async fn revoke(&self, token: TokenHash, now: OffsetDateTime) -> Result<(), Error>;

    /// Forgets tokens that expired before `limit`; answers how many.
    async fn forget_expired(&self, limit: OffsetDateTime) -> Result<u64, Error>;
}

/// Hashing of passwords: slow on purpose, so it is bounded.
///
/// Both fail with [`Error::TooManyLogins`] when too many are waiting.
#[async_trait]
pub trait Passwords: Send + Sync + 'static {
    /// In PHC string format.
    async fn hash(&self, password: SecretString) -> Result<SecretString, Error>;

    /// Whether the password is the hashed one. Without a hash it is not, and
    /// finding that out takes as long.
    async fn verify(
        &self,
        password: SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool, Error>;
}

/// An elliptic-curve public key (RFC 7518, section 6.2), P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// Base64url.
    pub x: String,
    /// Base64url.
    pub y: String,
}

/// The keys that access tokens are signed with.
#[async_trait]
pub trait SigningKeys: Send + Sync + 'static {
    /// An access token for the account and the roles it has now.
    fn sign(
        &self,
        user: &User,
        now: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Result<SecretString, Error>;

    /// Every key that a token in use may be signed with.
    async fn published(&self) -> Result<Vec<PublicKey>, Error>;
}

//! Applications and what they were granted.

use async_trait::async_trait;
use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::oauth::{Client, Scopes};
use crate::domain::{Event, NewToken, TokenHash};

/// Where applications are kept.
#[async_trait]
pub trait Clients: Send + Sync + 'static {
    async fn add(&self, client: &Client, event: &Event) -> Result<(), Error>;

    async fn get(&self, id: Uuid) -> Result<Option<Client>, Error>;

    /// All of them, newest first.
    async fn list(&self) -> Result<Vec<Client>, Error>;

    /// Takes one away, and all that it was granted; answers whether there was one.
    async fn remove(&self, id: Uuid, event: &Event) -> Result<bool, Error>;
}

/// A code for an application, to be exchanged for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub client: Uuid,
    pub user: Uuid,
    /// The sign-in in the browser.
    pub session: Uuid,
    pub redirect_uri: String,
    pub scopes: Scopes,
    pub nonce: Option<String>,
    pub code_challenge: String,
    pub auth_time: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

/// What a family of tokens was granted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub client: Option<Uuid>,
    pub scopes: Scopes,
    pub auth_time: OffsetDateTime,
}

/// Where grants are kept.
#[async_trait]
pub trait Grants: Send + Sync + 'static {
    async fn keep_code(&self, hash: TokenHash, code: &Code) -> Result<(), Error>;

    /// Takes a code: it works once. One that comes again ends the tokens that it was
    /// exchanged for (RFC 6749, section 4.1.2).
    async fn take_code(&self, hash: TokenHash, now: OffsetDateTime) -> Result<Option<Code>, Error>;

    /// Begins a family of tokens for a code that was taken.
    async fn begin(
        &self,
        hash: TokenHash,
        code: &Code,
        first: &NewToken,
        event: &Event,
    ) -> Result<Uuid, Error>;

    async fn grant(&self, family: Uuid) -> Result<Option<Grant>, Error>;

    /// What a user has consented to.
    async fn consent(&self, user: Uuid, client: Uuid) -> Result<Scopes, Error>;

    async fn keep_consent(&self, user: Uuid, client: Uuid, scopes: &Scopes) -> Result<(), Error>;

    /// Forgets codes that expired before `limit`.
    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error>;
}

/// JSON Web Tokens beside the platform's own.
#[async_trait]
pub trait Jwts: Send + Sync + 'static {
    /// Signs claims by the key that signs now.
    fn sign(
        &self,
        kind: &str,
        claims: &serde_json::Value,
        now: OffsetDateTime,
    ) -> Result<SecretString, Error>;

    /// The claims of a token that we signed, expired or not.
    async fn read(&self, token: &str) -> Result<Option<serde_json::Value>, Error>;
}

//! What the use cases need from outside.

mod addresses;
mod oauth;
mod revocations;
mod roles;
mod security;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::addresses::Addresses;
pub use self::oauth::{Clients, Code, Grant, Grants, Jwts};
pub use self::revocations::{Revocations, Revoked, RevokedSince};
pub use self::roles::{CustomRoles, Holders, Refusal};
pub use self::security::{
    AuditLog, Erasing, ErasureRow, Erasures, Factor, Guesses, Listed, Mails, PersonalData,
    SecondFactors, Verification,
};
use super::Error;
use crate::domain::{
    Event, KeyInfo, KeyPlan, MailRequest, NewToken, Origin, RoleNames, TokenHash, User,
};

/// All of it.
pub struct Ports {
    pub users: Arc<dyn Users>,
    pub tokens: Arc<dyn RefreshTokens>,
    pub passwords: Arc<dyn Passwords>,
    pub keys: Arc<dyn SigningKeys>,
    pub factors: Arc<dyn SecondFactors>,
    pub mails: Arc<dyn Mails>,
    pub guesses: Arc<dyn Guesses>,
    pub audit: Arc<dyn AuditLog>,
    pub erasures: Arc<dyn Erasures>,
    pub roles: Arc<dyn CustomRoles>,
    pub addresses: Arc<dyn Addresses>,
    pub revocations: Arc<dyn Revocations>,
}

/// An account with what its password is checked against.
pub struct Credentials {
    pub user: User,
    /// PHC string format.
    pub password_hash: SecretString,
}

/// Where accounts are kept.
#[async_trait]
pub trait Users: Send + Sync + 'static {
    /// Adds an account, publishes that it exists, asks for the mail that proves its
    /// address and begins its first session where there is one: all or nothing.
    /// Answers the session's id.
    ///
    /// Fails with [`Error::EmailTaken`].
    async fn add(
        &self,
        user: &User,
        password_hash: &SecretString,
        first: Option<(&NewToken, &MailRequest)>,
        origin: &Origin,
    ) -> Result<Option<Uuid>, Error>;

    /// The account with this e-mail address in any case.
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, Error>;

    async fn get(&self, id: Uuid) -> Result<Option<User>, Error>;

    /// The account with this id and what its password is checked against.
    async fn credentials_of(&self, id: Uuid) -> Result<Option<Credentials>, Error>;

    /// At most `limit` accounts, newest first, that are older than `before` and have the
    /// role, where one is named.
    async fn list(
        &self,
        role: Option<&str>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<User>, Error>;

    /// Changes how a user wants to be addressed.
    ///
    /// Fails with [`Error::UserNotFound`] and [`Error::Rule`].
    async fn rename(&self, id: Uuid, display_name: String) -> Result<User, Error>;

    /// Replaces an account's roles, unless `refusal` has a reason not to, while nobody
    /// else changes the account or who is an admin; ends its sessions where it is to.
    ///
    /// Fails with [`Error::UserNotFound`] and [`Error::Rule`].
    async fn set_roles(
        &self,
        id: Uuid,
        roles: RoleNames,
        refusal: Refusal<'_, User>,
        end_sessions: bool,
        events: &[Event],
    ) -> Result<User, Error>;

    /// Sets a password and ends every session but `keep`.
    async fn set_password(
        &self,
        id: Uuid,
        password_hash: &SecretString,
        keep: Option<Uuid>,
        event: &Event,
    ) -> Result<(), Error>;

    /// Keeps another hash of the same password, unless it was changed meanwhile.
    async fn rehash(&self, id: Uuid, old: &SecretString, new: &SecretString) -> Result<(), Error>;

    /// Closes an account: its sessions end, its address is free again, and its
    /// erasure begins at `erase_at`.
    ///
    /// Fails with [`Error::UserNotFound`] and [`Error::Rule`].
    async fn close(&self, id: Uuid, erase_at: OffsetDateTime, event: &Event) -> Result<(), Error>;
}

/// Where a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    pub id: Uuid,
    pub created_at: OffsetDateTime,
    pub last_used_at: OffsetDateTime,
    pub user_agent: String,
}

/// What came of exchanging a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// The next token of the session is in force; the account as it is now.
    Done(User, Uuid),
    /// The token was unknown, expired or revoked.
    Refused,
    /// The token had been used before: this user's family is revoked now.
    Reused(Uuid),
}

/// Where refresh tokens are kept.
#[async_trait]
pub trait RefreshTokens: Send + Sync + 'static {
    /// Begins a session with its first token; answers its id, that of the token's
    /// family.
    async fn start(
        &self,
        user: Uuid,
        token: &NewToken,
        user_agent: &str,
        event: &Event,
    ) -> Result<Uuid, Error>;

    /// Exchanges a token for the next of its family; of two attempts with the same
    /// token one succeeds. It has to be one of `client`'s, or none of any client.
    async fn rotate(
        &self,
        spent: TokenHash,
        next: &NewToken,
        client: Option<Uuid>,
        origin: &Origin,
    ) -> Result<Rotation, Error>;

    /// Revokes the family of a token; unknown tokens are no error.
    async fn revoke(&self, token: TokenHash, now: OffsetDateTime) -> Result<(), Error>;

    /// The live sessions of a user, latest use first, at most `limit`.
    async fn sessions(&self, user: Uuid, limit: i64) -> Result<Vec<SignIn>, Error>;

    /// Ends a user's session, if it has not ended; answers whether there is one.
    async fn end(&self, user: Uuid, session: Uuid, event: &Event) -> Result<bool, Error>;

    /// The account and session of a token that could be exchanged now.
    async fn holder(
        &self,
        token: TokenHash,
        now: OffsetDateTime,
    ) -> Result<Option<(SignIn, User, OffsetDateTime)>, Error>;

    /// Whether a session is neither ended nor forgotten, and its account not closed.
    async fn is_live(&self, session: Uuid) -> Result<bool, Error>;

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

    /// Whether a hash was made with other parameters than today's.
    fn is_outdated(&self, hash: &SecretString) -> bool;
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
        session: Uuid,
        now: OffsetDateTime,
        expires_at: OffsetDateTime,
    ) -> Result<SecretString, Error>;

    /// Every key that a token in use may be signed with.
    async fn published(&self) -> Result<Vec<PublicKey>, Error>;

    /// What is known of them, newest first.
    async fn list(&self) -> Result<Vec<KeyInfo>, Error>;

    /// Makes a new key, unless the newest is too young for `replace`; answers it.
    async fn succeed(
        &self,
        plan: &KeyPlan,
        replace: Replace,
        event: &Event,
    ) -> Result<Option<KeyInfo>, Error>;

    /// Reads again which keys there are.
    async fn refresh(&self) -> Result<(), Error>;
}

/// When a key is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// As soon as the newest one signs.
    Now,
    /// When the plan says so.
    WhenDue,
}

//! The use cases.

pub mod error;
mod opaque;
pub mod ports;

use std::sync::Arc;

pub use error::Error;
use ports::{Passwords, PublicKey, RefreshTokens, Rotation, SigningKeys, Users};
use secrecy::SecretString;
use time::{Duration, OffsetDateTime};
use types::PageSize;
use uuid::Uuid;

use crate::domain::{ADMIN, CUSTOMER, NewToken, User, UserChange};

/// How long tokens live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    pub access: Duration,
    pub refresh: Duration,
}

/// A pair of tokens and whose they are.
pub struct Session {
    pub access_token: SecretString,
    pub refresh_token: SecretString,
    /// Life of the access token.
    pub expires_in: Duration,
    pub user: User,
}

/// Accounts and sessions.
pub struct Identity {
    users: Arc<dyn Users>,
    tokens: Arc<dyn RefreshTokens>,
    passwords: Arc<dyn Passwords>,
    keys: Arc<dyn SigningKeys>,
    lifetimes: Lifetimes,
}

impl Identity {
    pub fn new(
        users: Arc<dyn Users>,
        tokens: Arc<dyn RefreshTokens>,
        passwords: Arc<dyn Passwords>,
        keys: Arc<dyn SigningKeys>,
        lifetimes: Lifetimes,
    ) -> Self {
        Self { users, tokens, passwords, keys, lifetimes }
    }

    /// Creates a customer's account and signs it in.
    pub async fn register(
        &self,
        email: String,
        password: SecretString,
        display_name: String,
    ) -> Result<Session, Error> {
        let now = types::now();
        let user = User::new(Uuid::now_v7(), email, display_name, CUSTOMER, now)?;
        let password_hash = self.passwords.hash(password).await?;
        let (refresh_token, first) = self.refresh_token(now)?;
        self.users.add(&user, &password_hash, Some(&first)).await?;
        self.session(user, refresh_token, now)
    }

    /// Creates an admin's account unless there is an account with its address;
    /// that one is left as it is. Answers whether there was none.
    pub async fn ensure_admin(&self, email: &str, password: SecretString) -> Result<bool, Error> {
        if self.users.credentials(email).await?.is_some() {
            return Ok(false);
        }
        let (id, name) = (Uuid::now_v7(), "Administrator".to_owned());
        let user = User::new(id, email.to_owned(), name, ADMIN, types::now())?;
        let password_hash = self.passwords.hash(password).await?;
        match self.users.add(&user, &password_hash, None).await {
            // Another replica was faster.
            Err(Error::EmailTaken) => Ok(false),
            added => added.map(|()| true),
        }
    }

    /// Signs in. An unknown account costs as much time as a wrong password.
    pub async fn login(&self, email: &str, password: SecretString) -> Result<Session, Error> {
        let found = self.users.credentials(email).await?;
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let matches = self.passwords.verify(password, hash).await?;
        let user = found.filter(|_| matches).ok_or(Error::BadCredentials)?.user;
        let now = types::now();
        let (refresh_token, first) = self.refresh_token(now)?;
        self.tokens.start(user.id, &first).await?;
        self.session(user, refresh_token, now)
    }

    /// Exchanges a refresh token for a new pair, with the roles of this moment.
    pub async fn refresh(&self, token: &SecretString) -> Result<Session, Error> {
        let now = types::now();
        let (refresh_token, next) = self.refresh_token(now)?;
        match self.tokens.rotate(opaque::hash(token), &next).await? {
            Rotation::Done(user) => self.session(user, refresh_token, now),
            Rotation::Refused => Err(Error::RefreshTokenInvalid),
            Rotation::Reused(user) => {
                tracing::warn!(user.id = %user, "a refresh token was used twice: family revoked");
                metrics::counter!("identity_refresh_token_reuse_total").increment(1);
                Err(Error::RefreshTokenInvalid)
            }
        }
    }

    /// Revokes a refresh token's family.
    pub async fn logout(&self, token: &SecretString) -> Result<(), Error> {
        self.tokens.revoke(opaque::hash(token), types::now()).await
    }

    /// One account.
    pub async fn user(&self, id: Uuid) -> Result<User, Error> {
        self.users.get(id).await?.ok_or(Error::UserNotFound)
    }

    /// A page of accounts, newest first, and one more where another page follows.
    pub async fn users(&self, size: PageSize, before: Option<Uuid>) -> Result<Vec<User>, Error> {
        self.users.list(before, size.probe()).await
    }

    /// Changes how a user wants to be addressed.
    pub async fn rename(&self, id: Uuid, display_name: String) -> Result<User, Error> {
        self.users.change(id, UserChange::DisplayName(display_name)).await
    }

    /// Replaces a user's roles.
    pub async fn set_roles(&self, id: Uuid, roles: Vec<String>) -> Result<User, Error> {
        let user = self.users.change(id, UserChange::Roles(roles)).await?;
        tracing::info!(user.id = %user.id, user.roles = ?user.roles, "roles changed");
        Ok(user)
    }

    /// The keys that access tokens are checked with.
    pub async fn published_keys(&self) -> Result<Vec<PublicKey>, Error> {
        self.keys.published().await
    }

    fn refresh_token(&self, now: OffsetDateTime) -> Result<(SecretString, NewToken), Error> {
        let token = opaque::generate()?;
        let hash = opaque::hash(&token);
        let expires_at = now + self.lifetimes.refresh;
        Ok((token, NewToken { hash, issued_at: now, expires_at }))
    }

    fn session(
        &self,
        user: User,
        refresh_token: SecretString,
        now: OffsetDateTime,
    ) -> Result<Session, Error> {
        let expires_in = self.lifetimes.access;
        let access_token = self.keys.sign(&user, now, now + expires_in)?;
        Ok(Session { access_token, refresh_token, expires_in, user })
    }
}

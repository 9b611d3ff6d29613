//! The use cases.

pub mod accounts;
pub mod addresses;
pub mod erasure;
pub mod error;
pub mod oauth;
mod one_time;
mod opaque;
pub mod ports;
pub mod proof;
pub mod roles;
pub mod security;

use std::sync::Arc;

pub use accounts::Accounts;
pub use addresses::AddressBook;
pub use erasure::Erasure;
pub use error::Error;
pub use oauth::OAuth;
pub(crate) use opaque::generate as random_text;
use ports::{Credentials, Ports, PublicKey, RevokedSince, Rotation};
use proof::{Limits, Proof};
pub use roles::Roles;
use secrecy::SecretString;
pub use security::Security;
use time::{Duration, OffsetDateTime};
use types::PageSize;
use uuid::Uuid;

use crate::domain::{
    ADMIN, CUSTOMER, Event, EventKind, MailPurpose, MailRequest, NewToken, Origin, User,
};

/// How long tokens live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    pub access: Duration,
    pub refresh: Duration,
}

/// Clocks differ, and those who check tokens allow for it.
const REVOKED_FOR_LONGER: Duration = Duration::minutes(2);

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
    ports: Arc<Ports>,
    proof: Proof,
    lifetimes: Lifetimes,
}

impl Identity {
    pub fn new(ports: Arc<Ports>, limits: Limits, lifetimes: Lifetimes) -> Self {
        let proof = Proof { ports: Arc::clone(&ports), limits };
        Self { ports, proof, lifetimes }
    }

    /// Creates a customer's account and signs it in.
    pub async fn register(
        &self,
        email: String,
        password: SecretString,
        display_name: String,
        origin: &Origin,
    ) -> Result<Session, Error> {
        let now = types::now();
        let user = User::new(Uuid::now_v7(), email, display_name, CUSTOMER, now)?;
        accounts::check_new(&password, &user)?;
        let password_hash = self.ports.passwords.hash(password).await?;
        let (refresh_token, first) = self.refresh_token(now)?;
        let mail = MailRequest::new(user.id, MailPurpose::VerifyEmail, now);
        let session =
            self.ports.users.add(&user, &password_hash, Some((&first, &mail)), origin).await?;
        metrics::counter!("stoa_registrations_total").increment(1);
        self.session(user, session.unwrap_or_default(), refresh_token, now)
    }

    /// Creates an admin's account unless there is an account with its address;
    /// that one is left as it is. Answers whether there was none.
    pub async fn ensure_admin(&self, email: &str, password: SecretString) -> Result<bool, Error> {
        if self.ports.users.credentials(email).await?.is_some() {
            return Ok(false);
        }
        let (id, name) = (Uuid::now_v7(), "Administrator".to_owned());
        let user = User::new(id, email.to_owned(), name, ADMIN, types::now())?;
        let password_hash = self.ports.passwords.hash(password).await?;
        match self.ports.users.add(&user, &password_hash, None, &Origin::default()).await {
            // Another replica was faster.
            Err(Error::EmailTaken) => Ok(false),
            added => added.map(|_| true),
        }
    }

    /// Signs in. An unknown account costs as much time as a wrong password.
    pub async fn login(
        &self,
        email: &str,
        password: SecretString,
        code: &str,
        origin: &Origin,
    ) -> Result<Session, Error> {
        let found = self.proof.sign_in(email, password.clone(), code, origin).await?;
        self.keep_hash_up_to_date(&found, password).await;
        let (user, now) = (found.user, types::now());
        let (refresh_token, first) = self.refresh_token(now)?;
        let event = Event::of(EventKind::LoginSucceeded, user.id, now, origin);
        let session = self.ports.tokens.start(user.id, &first, &origin.user_agent, &event).await?;
        self.session(user, session, refresh_token, now)
    }

    /// Only now is the password at hand. That it cannot be hashed again is no reason
    /// to refuse somebody.
    async fn keep_hash_up_to_date(&self, found: &Credentials, password: SecretString) {
        let old = &found.password_hash;
        if !self.ports.passwords.is_outdated(old) {
            return;
        }
        let kept = async {
            let new = self.ports.passwords.hash(password).await?;
            self.ports.users.rehash(found.user.id, old, &new).await
        };
        if let Err(error) = kept.await {
            tracing::warn!(error = %error, "a password keeps its outdated hash for now");
        }
    }

    /// Exchanges a refresh token for a new pair, with the roles of this moment.
    pub async fn refresh(&self, token: &SecretString, origin: &Origin) -> Result<Session, Error> {
        let now = types::now();
        let (refresh_token, next) = self.refresh_token(now)?;
        match self.ports.tokens.rotate(opaque::hash(token), &next, None, origin).await? {
            Rotation::Done(user, session) => self.session(user, session, refresh_token, now),
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
        self.ports.tokens.revoke(opaque::hash(token), types::now()).await
    }

    /// One account.
    pub async fn user(&self, id: Uuid) -> Result<User, Error> {
        self.ports.users.get(id).await?.ok_or(Error::UserNotFound)
    }

    /// A page of accounts, newest first, and one more where another page follows.
    pub async fn users(
        &self,
        role: Option<&str>,
        size: PageSize,
        before: Option<Uuid>,
    ) -> Result<Vec<User>, Error> {
        self.ports.users.list(role, before, size.probe()).await
    }

    /// Changes how a user wants to be addressed.
    pub async fn rename(&self, id: Uuid, display_name: String) -> Result<User, Error> {
        self.ports.users.rename(id, display_name).await
    }

    /// The keys that access tokens are checked with.
    pub async fn published_keys(&self) -> Result<Vec<PublicKey>, Error> {
        self.ports.keys.published().await
    }

    /// What is not to be believed any more, and how long it has to be remembered.
    pub async fn revoked(
        &self,
        since: Option<OffsetDateTime>,
    ) -> Result<(RevokedSince, Duration), Error> {
        let revoked = self.ports.revocations.since(since).await?;
        Ok((revoked, self.lifetimes.access + REVOKED_FOR_LONGER))
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
        session: Uuid,
        refresh_token: SecretString,
        now: OffsetDateTime,
    ) -> Result<Session, Error> {
        let expires_in = self.lifetimes.access;
        let access_token = self.ports.keys.sign(&user, session, now, now + expires_in)?;
        Ok(Session { access_token, refresh_token, expires_in, user })
    }
}

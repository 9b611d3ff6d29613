//! Proof that somebody is who they say: guesses are counted, passwords and codes checked.

use std::sync::Arc;

use secrecy::SecretString;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::ports::{Credentials, Ports};
use super::{Error, one_time};
use crate::domain::{Event, EventKind, Limit, Origin, Subject};

/// How many wrong guesses are free.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For one account, whether or not it exists.
    pub account: Limit,
    /// From one client address.
    pub address: Limit,
}

/// Checks passwords and codes.
pub(super) struct Proof {
    pub(super) ports: Arc<Ports>,
    pub(super) limits: Limits,
}

/// A guess that was counted.
struct Guess {
    account: Subject,
    address: Option<Subject>,
}

impl Guess {
    fn subjects(&self) -> Vec<Subject> {
        std::iter::once(self.account).chain(self.address).collect()
    }
}

impl Proof {
    /// The account behind an e-mail address, a password and, where it wants one, a
    /// code. An unknown account costs as much time as a wrong password.
    pub(super) async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        code: &str,
        origin: &Origin,
    ) -> Result<Credentials, Error> {
        let now = types::now();
        let guess = self.count(email, origin, now).await?;
        let found = self.ports.users.credentials(email).await?;
        let hash = found.as_ref().map(|found| found.password_hash.clone());
        let matches = self.verify(&guess, password, hash).await?;
        let user = found.as_ref().map(|found| found.user.id);
        let Some(found) = found.filter(|_| matches) else {
            return Err(self.failed(user, origin, now).await);
        };
        match self.code(found.user.id, code, origin, now).await {
            Err(Error::CodeWrong) => return Err(self.failed(user, origin, now).await),
            checked => checked?,
        }
        self.forgive(guess).await?;
        Ok(found)
    }

    /// What was not looked at, because too many wait, is no guess.
    async fn verify(
        &self,
        guess: &Guess,
        password: SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool, Error> {
        let verified = self.ports.passwords.verify(password, hash).await;
        if verified.is_err() {
            self.ports.guesses.take_back(&guess.subjects()).await?;
        }
        verified
    }

    /// The password once more, of somebody who is signed in.
    pub(super) async fn password(
        &self,
        user: Uuid,
        password: SecretString,
        origin: &Origin,
    ) -> Result<(), Error> {
        let now = types::now();
        let found = self.ports.users.credentials_of(user).await?.ok_or(Error::UserNotFound)?;
        let guess = self.count(&found.user.email, origin, now).await?;
        if !self.verify(&guess, password, Some(found.password_hash)).await? {
            self.failed(Some(user), origin, now).await;
            return Err(Error::PasswordWrong);
        }
        self.forgive(guess).await
    }

    /// A code, if the account wants one.
    pub(super) async fn code(
        &self,
        user: Uuid,
        code: &str,
        origin: &Origin,
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        let factors = &self.ports.factors;
        let Some(factor) = factors.get(user).await?.filter(|factor| factor.active) else {
            return Ok(());
        };
        if code.is_empty() {
            return Err(Error::SecondFactorRequired);
        }
        if let Some(step) = one_time::step_of(&factor.secret, code, factor.last_step, now)?
            && factors.take_step(user, step).await?
        {
            return Ok(());
        }
        let event = Event::of(EventKind::RecoveryCodeUsed, user, now, origin);
        match factors.take_recovery_code(user, one_time::recovery_hash(code), &event).await? {
            true => Ok(()),
            false => Err(Error::CodeWrong),
        }
    }

    /// A guess of a code by somebody who is signed in.
    pub(super) async fn count_for(
        &self,
        user: Uuid,
        origin: &Origin,
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        let account = self.ports.users.get(user).await?.ok_or(Error::UserNotFound)?;
        self.count(&account.email, origin, now).await.map(drop)
    }

    /// Counted before it is looked at: of a thousand at once all are.
    async fn count(
        &self,
        email: &str,
        origin: &Origin,
        now: OffsetDateTime,
    ) -> Result<Guess, Error> {
        let account = subject("account", &email.to_lowercase(), self.limits.account);
        let address = origin.address.as_deref();
        let address = address.map(|address| subject("address", address, self.limits.address));
        let guess = Guess { account, address };
        let counted = self.ports.guesses.count(&guess.subjects(), now).await;
        if let Err(Error::LoginThrottled(_)) = &counted {
            metrics::counter!("identity_logins_throttled_total").increment(1);
        }
        counted.map(|()| guess)
    }

    async fn forgive(&self, guess: Guess) -> Result<(), Error> {
        if let Some(address) = guess.address {
            self.ports.guesses.take_back(&[address]).await?;
        }
        self.ports.guesses.forgive(guess.account).await
    }

    /// Writes a failed attempt down; answers what the client is told.
    async fn failed(&self, user: Option<Uuid>, origin: &Origin, now: OffsetDateTime) -> Error {
        let kind = EventKind::LoginFailed;
        let event = match user {
            Some(user) => Event::of(kind, user, now, origin),
            None => Event::of_nobody(kind, now, origin),
        };
        match self.ports.audit.record(&event).await {
            Ok(()) => Error::BadCredentials,
            Err(error) => error,
        }
    }
}

/// Told apart by a hash: the table does not say whose addresses were tried.
fn subject(kind: &str, name: &str, limit: Limit) -> Subject {
    Subject { hash: Sha256::digest(format!("{kind}:{name}")).into(), limit }
}

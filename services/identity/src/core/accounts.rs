//! What people do with their own account.

use std::sync::Arc;

use secrecy::{SecretSlice, SecretString};
use time::Duration;
use uuid::Uuid;

use super::ports::{Ports, SignIn};
use super::proof::{Limits, Proof};
use super::{Error, one_time, opaque};
use crate::domain::{Event, EventKind, MailPurpose, MailRequest, Origin, User, mail, password};

/// The most sessions that are shown.
const SESSIONS: i64 = 100;

/// Proof of the address, passwords, sessions, the second factor, the end.
pub struct Accounts {
    ports: Arc<Ports>,
    proof: Proof,
    /// How long mails of before the closing may take to reach their reader.
    erase_after: Duration,
}

/// A secret that was begun, as the user needs it.
pub struct Enrollment {
    /// Base32.
    pub secret: SecretString,
    /// `otpauth://totp/…`
    pub uri: SecretString,
}

impl Accounts {
    pub fn new(ports: Arc<Ports>, limits: Limits, erase_after: Duration) -> Self {
        let proof = Proof { ports: Arc::clone(&ports), limits };
        Self { ports, proof, erase_after }
    }

    /// Asks for the mail that proves the account's address.
    pub async fn ask_for_verification(&self, user: Uuid) -> Result<(), Error> {
        let account = self.account(user).await?;
        if account.email_verified {
            return Err(Error::EmailVerified);
        }
        let now = types::now();
        let request = MailRequest::new(user, MailPurpose::VerifyEmail, now);
        let asked = self.ports.mails.ask(&request, now - mail::PAUSE).await?;
        asked.then_some(()).ok_or(Error::TooManyMails)
    }

    /// Takes the token of that mail.
    pub async fn verify_email(&self, token: &SecretString, origin: &Origin) -> Result<(), Error> {
        let (hash, now) = (opaque::hash(token), types::now());
        let holder = self.ports.mails.holder(hash, MailPurpose::VerifyEmail, now).await?;
        let user = holder.ok_or(Error::MailTokenInvalid)?;
        let event = Event::of(EventKind::EmailVerified, user, now, origin);
        let taken = self.ports.mails.verify_email(hash, &event).await?;
        taken.then_some(()).ok_or(Error::MailTokenInvalid)
    }

    /// Asks for the mail with which a forgotten password is replaced; nobody learns
    /// whether there is such an account.
    pub async fn ask_for_reset(&self, email: &str, origin: &Origin) -> Result<(), Error> {
        let now = types::now();
        let event = Event::of_nobody(EventKind::PasswordResetRequested, now, origin);
        self.ports.mails.ask_for_reset(email, now - mail::PAUSE, &event).await
    }

    /// Takes the token of that mail, and a new password.
    pub async fn reset_password(
        &self,
        token: &SecretString,
        new: SecretString,
        origin: &Origin,
    ) -> Result<(), Error> {
        let (hash, now) = (opaque::hash(token), types::now());
        let holder = self.ports.mails.holder(hash, MailPurpose::ResetPassword, now).await?;
        let user = self.account(holder.ok_or(Error::MailTokenInvalid)?).await?;
        check_new(&new, &user)?;
        let password_hash = self.ports.passwords.hash(new).await?;
        let event = Event::of(EventKind::PasswordReset, user.id, now, origin);
        let taken = self.ports.mails.reset_password(hash, &password_hash, &event).await?;
        taken.then_some(()).ok_or(Error::MailTokenInvalid)
    }

    /// Sets a new password; ends every session but the one that asks.
    pub async fn change_password(
        &self,
        user: Uuid,
        session: Option<Uuid>,
        current: SecretString,
        new: SecretString,
        origin: &Origin,
    ) -> Result<(), Error> {
        check_new(&new, &self.account(user).await?)?;
        self.proof.password(user, current, origin).await?;
        let password_hash = self.ports.passwords.hash(new).await?;
        let event = Event::of(EventKind::PasswordChanged, user, types::now(), origin);
        self.ports.users.set_password(user, &password_hash, session, &event).await
    }

    /// Where the user is signed in.
    pub async fn sessions(&self, user: Uuid) -> Result<Vec<SignIn>, Error> {
        self.ports.tokens.sessions(user, SESSIONS).await
    }

    /// Ends one of the user's sessions.
    pub async fn end_session(
        &self,
        user: Uuid,
        session: Uuid,
        origin: &Origin,
    ) -> Result<(), Error> {
        let event = Event::of(EventKind::SessionRevoked, user, types::now(), origin);
        let ended = self.ports.tokens.end(user, session, &event).await?;
        ended.then_some(()).ok_or(Error::SessionNotFound)
    }

    /// Begins a second factor.
    pub async fn enroll(
        &self,
        user: Uuid,
        current: SecretString,
        origin: &Origin,
    ) -> Result<Enrollment, Error> {
        let account = self.account(user).await?;
        if account.second_factor {
            return Err(Error::SecondFactorActive);
        }
        self.proof.password(user, current, origin).await?;
        let secret: SecretSlice<u8> = one_time::secret()?;
        if !self.ports.factors.begin(user, &secret).await? {
            return Err(Error::SecondFactorActive);
        }
        let (secret, uri) = one_time::shown(&secret, &account.email)?;
        Ok(Enrollment { secret, uri })
    }

    /// Confirms it by its first code; answers the recovery codes.
    pub async fn confirm(
        &self,
        user: Uuid,
        code: &str,
        origin: &Origin,
    ) -> Result<Vec<SecretString>, Error> {
        let now = types::now();
        let factor = self.ports.factors.get(user).await?.filter(|factor| !factor.active);
        let factor = factor.ok_or(Error::SecondFactorNotEnrolled)?;
        self.proof.count_for(user, origin, now).await?;
        let step = one_time::step_of(&factor.secret, code, factor.last_step, now)?;
        let step = step.ok_or(Error::CodeWrong)?;
        let codes = one_time::recovery_codes()?;
        let hashes: Vec<_> = codes.iter().map(one_time::recovery_hash_of).collect();
        let event = Event::of(EventKind::SecondFactorAdded, user, now, origin);
        let confirmed = self.ports.factors.confirm(user, step, &hashes, &event).await?;
        confirmed.then_some(codes).ok_or(Error::SecondFactorNotEnrolled)
    }

    /// Removes it.
    pub async fn remove_factor(
        &self,
        user: Uuid,
        current: SecretString,
        code: &str,
        origin: &Origin,
    ) -> Result<(), Error> {
        if !self.account(user).await?.second_factor {
            return Err(Error::SecondFactorNotEnrolled);
        }
        self.proof.password(user, current, origin).await?;
        let now = types::now();
        self.proof.count_for(user, origin, now).await?;
        self.proof.code(user, code, origin, now).await?;
        let event = Event::of(EventKind::SecondFactorRemoved, user, now, origin);
        self.ports.factors.remove(user, &event).await
    }

    /// Closes the account for good.
    pub async fn close(
        &self,
        user: Uuid,
        current: SecretString,
        origin: &Origin,
    ) -> Result<(), Error> {
        self.proof.password(user, current, origin).await?;
        let now = types::now();
        let event = Event::of(EventKind::AccountClosed, user, now, origin);
        self.ports.users.close(user, now + self.erase_after, &event).await
    }

    async fn account(&self, user: Uuid) -> Result<User, Error> {
        self.ports.users.get(user).await?.ok_or(Error::UserNotFound)
    }
}

/// The contract says how long it is; this is about what everybody tries first.
pub(super) fn check_new(new: &SecretString, user: &User) -> Result<(), Error> {
    use secrecy::ExposeSecret;
    match password::is_common(new.expose_secret(), &user.email, &user.display_name) {
        true => Err(Error::PasswordCommon),
        false => Ok(()),
    }
}

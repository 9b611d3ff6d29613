//! What makes accounts safe, and what ends them.

use async_trait::async_trait;
use secrecy::{SecretSlice, SecretString};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{Event, MailPurpose, MailRequest, Subject, TokenHash};

/// A second factor that an account has, or is about to have.
pub struct Factor {
    pub secret: SecretSlice<u8>,
    /// Signing in needs a code.
    pub active: bool,
    /// The time step of the last code that was taken.
    pub last_step: i64,
}

/// Where second factors are kept.
#[async_trait]
pub trait SecondFactors: Send + Sync + 'static {
    async fn get(&self, user: Uuid) -> Result<Option<Factor>, Error>;

    /// Keeps a secret that is not confirmed yet, in place of another such one. Answers
    /// false when there is a confirmed one.
    async fn begin(&self, user: Uuid, secret: &SecretSlice<u8>) -> Result<bool, Error>;

    /// Confirms it with the time step of its first code, and keeps recovery codes.
    /// Answers false when there was nothing to confirm.
    async fn confirm(
        &self,
        user: Uuid,
        step: i64,
        codes: &[TokenHash],
        event: &Event,
    ) -> Result<bool, Error>;

    /// Takes the code of a time step: of two attempts with one code one succeeds.
    async fn take_step(&self, user: Uuid, step: i64) -> Result<bool, Error>;

    /// Takes a recovery code: it works once.
    async fn take_recovery_code(
        &self,
        user: Uuid,
        code: TokenHash,
        event: &Event,
    ) -> Result<bool, Error>;

    /// Removes it with its recovery codes.
    async fn remove(&self, user: Uuid, event: &Event) -> Result<(), Error>;
}

/// Where mails with tokens are asked for.
#[async_trait]
pub trait Mails: Send + Sync + 'static {
    /// Asks for a mail, unless one of its kind was asked for after `since`; answers
    /// whether it did.
    async fn ask(&self, request: &MailRequest, since: OffsetDateTime) -> Result<bool, Error>;

    /// Asks for a mail with a new password's token, where there is such an account and
    /// it did not ask after `since`. Costs as much where there is none.
    async fn ask_for_reset(
        &self,
        email: &str,
        since: OffsetDateTime,
        event: &Event,
    ) -> Result<(), Error>;

    /// Keeps the hash of a request's token; answers until when it works, or nothing
    /// when there is no such request any more.
    async fn mint(
        &self,
        request: Uuid,
        token: TokenHash,
        now: OffsetDateTime,
    ) -> Result<Option<OffsetDateTime>, Error>;

    /// Whose token it is, if it works.
    async fn holder(
        &self,
        token: TokenHash,
        purpose: MailPurpose,
        now: OffsetDateTime,
    ) -> Result<Option<Uuid>, Error>;

    /// Takes a token: the address is proven. Answers false when it does not work.
    async fn verify_email(&self, token: TokenHash, event: &Event) -> Result<bool, Error>;

    /// Forgets requests that expired before `limit`.
    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error>;

    /// Takes a token: sets the password and ends every session. Answers false when it
    /// does not work.
    async fn reset_password(
        &self,
        token: TokenHash,
        password_hash: &SecretString,
        event: &Event,
    ) -> Result<bool, Error>;
}

/// Where guesses are counted.
#[async_trait]
pub trait Guesses: Send + Sync + 'static {
    /// Counts a guess before it is looked at, so that many at once are all counted.
    ///
    /// Fails with [`Error::LoginThrottled`].
    async fn count(&self, subjects: &[Subject], now: OffsetDateTime) -> Result<(), Error>;

    /// Takes one guess back: it was right, or nobody looked at it.
    async fn take_back(&self, subjects: &[Subject]) -> Result<(), Error>;

    /// Forgets all guesses of a subject.
    async fn forgive(&self, subject: Subject) -> Result<(), Error>;

    /// Forgets what is older than `limit`.
    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error>;
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub sequence: i64,
    pub kind: String,
    pub at: OffsetDateTime,
    pub address: Option<String>,
    pub detail: String,
}

/// What following the chain of hashes came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub entries: i64,
    /// The first entry that does not fit.
    pub broken: Option<i64>,
    /// Hash of the last entry that fits.
    pub head: Vec<u8>,
}

/// The log of security events.
#[async_trait]
pub trait AuditLog: Send + Sync + 'static {
    async fn record(&self, event: &Event) -> Result<(), Error>;

    /// An account's events, newest first, older than `before`.
    async fn list(&self, user: Uuid, before: Option<i64>, limit: i64)
    -> Result<Vec<Listed>, Error>;

    async fn verify(&self) -> Result<Verification, Error>;
}

/// An account that is being erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasing {
    pub user: Uuid,
    pub tries: i32,
    /// Workloads that have nothing personal left.
    pub done: Vec<String>,
}

/// An erasure, done or under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasureRow {
    pub user: Uuid,
    pub requested_at: OffsetDateTime,
    pub finished_at: Option<OffsetDateTime>,
}

/// Erasures: those that have not ended, and those that would have to be done again if a
/// backup were restored.
#[async_trait]
pub trait Erasures: Send + Sync + 'static {
    /// Takes some that are due, and puts off their next try until `until`.
    async fn take(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
        limit: i64,
    ) -> Result<Vec<Erasing>, Error>;

    /// Writes down that a workload has nothing left.
    async fn note(&self, user: Uuid, workload: &str) -> Result<(), Error>;

    /// Puts the next try off.
    async fn retry_at(&self, user: Uuid, at: OffsetDateTime) -> Result<(), Error>;

    /// Erases what is left here; the account is no more. Answers false while facts
    /// about it wait to be sent.
    async fn finish(&self, user: Uuid, event: &Event) -> Result<bool, Error>;

    /// Those under way at some moment or later, latest request first, at most `limit`.
    async fn list(
        &self,
        since: Option<OffsetDateTime>,
        before: Option<(OffsetDateTime, Uuid)>,
        limit: i64,
    ) -> Result<Vec<ErasureRow>, Error>;

    /// Begins an erasure of somebody whose account is no more, or begins it again.
    async fn begin(&self, user: Uuid, now: OffsetDateTime) -> Result<(), Error>;

    /// Forgets those that ended before `limit`.
    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error>;
}

/// A workload that keeps something about people.
#[async_trait]
pub trait PersonalData: Send + Sync + 'static {
    /// The workload.
    fn name(&self) -> &'static str;

    /// What it keeps about a user, as JSON; empty for nothing.
    async fn export(&self, user: Uuid) -> Result<String, Error>;

    /// Erases a user; answers whether nothing is left.
    async fn erase(&self, user: Uuid) -> Result<bool, Error>;
}

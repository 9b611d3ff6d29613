//! What the use cases need from outside.

mod people;

use std::fmt;

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

pub use people::{Deed, Kept, People};
use secrecy::SecretString;

use super::Error;
use crate::domain::{
    Contact, DeliveryState, Kind, Notification, Occasion, Preferences, Text, Verdict,
};

/// A notification and what became of its e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub notification: Notification,
    pub email: DeliveryState,
}

/// What users ask for.
#[async_trait]
pub trait Notifications: Send + Sync + 'static {
    /// At most `limit` of a user's notifications, newest first, that are older
    /// than `before`.
    async fn list(
        &self,
        user_id: Uuid,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Told>, Error>;

    /// Nothing where the user never said.
    async fn preferences(&self, user_id: Uuid) -> Result<Option<Preferences>, Error>;

    /// Keeps them, and suppresses what was to be sent if e-mail is off now.
    ///
    /// Errors: `UserErased`.
    async fn set_preferences(
        &self,
        user_id: Uuid,
        preferences: Preferences,
        now: OffsetDateTime,
    ) -> Result<(), Error>;
}

/// What a fact changes: all of it within the fact's own transaction. About a user who
/// was erased nothing is kept.
#[async_trait]
pub trait Effects: Send {
    /// Keeps where mail for a user goes, and releases what waited for it.
    async fn keep_contact(&mut self, contact: &Contact) -> Result<(), Error>;

    /// Keeps a notification about `about_id`, with its e-mail pending or, where
    /// the user does not want e-mail and it is not mandatory, suppressed. Answers
    /// false and changes nothing when one of its kind about the same thing exists.
    async fn keep_notification(
        &mut self,
        notification: &Notification,
        about_id: Uuid,
    ) -> Result<bool, Error>;
}

/// An e-mail that this worker alone may hand over until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    pub notification_id: Uuid,
    pub kind: Kind,
    /// What it is about; of an e-mail with a token in it, the request for it.
    pub about_id: Uuid,
    /// This attempt's number, from 1.
    pub attempt: i32,
    pub to: Contact,
    pub text: Text,
    /// When the notification was made.
    pub created_at: OffsetDateTime,
    /// W3C trace context of whoever made it.
    pub traceparent: Option<String>,
}

/// What a worker took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub mails: Vec<Leased>,
    /// How many were due but are no longer wanted; they are suppressed now.
    pub suppressed: usize,
}

/// The e-mails that are to be handed over.
#[async_trait]
pub trait Deliveries: Send + Sync + 'static {
    /// Leases at most `limit` e-mails that are due and whose user's contact is known.
    async fn take(&self, now: OffsetDateTime, lease: Duration, limit: i64) -> Result<Taken, Error>;

    /// Writes down what an attempt came to. Answers false when the lease had ended
    /// and somebody else has the e-mail.
    async fn settle(
        &self,
        mail: &Leased,
        verdict: &Verdict,
        now: OffsetDateTime,
    ) -> Result<bool, Error>;

    /// How many e-mails are to be handed over.
    async fn pending(&self) -> Result<i64, Error>;
}

/// An e-mail as it is handed over.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The same for every attempt: a repeated e-mail can be recognised.
    pub id: Uuid,
    pub to: Contact,
    /// There may be a token in it.
    pub text: Text,
    pub date: OffsetDateTime,
}

/// What it says is for its reader alone.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why an e-mail was not handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// This e-mail will never be taken.
    #[error("refused for good: {0}")]
    Permanent(String),
    /// This e-mail was not taken now.
    #[error("refused for now: {0}")]
    Temporary(String),
    /// No e-mail is taken now.
    #[error("no mail server: {0}")]
    Unreachable(String),
}

impl NotSent {
    /// One word for it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Permanent(_) => "permanent",
            Self::Temporary(_) => "temporary",
            Self::Unreachable(_) => "unreachable",
        }
    }
}

/// The mail server.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    async fn send(&self, mail: &Mail) -> Result<(), NotSent>;
}

/// Why there is no token for an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Nobody waits for this e-mail any more.
    #[error("it is too late for a token")]
    TooLate,
    /// Perhaps later.
    #[error("no token: {0}")]
    Unreachable(String),
}

/// Who makes the tokens in e-mails. They are kept nowhere in the clear: each is made at
/// the moment when its e-mail is handed over.
#[async_trait]
pub trait MailTokens: Send + Sync + 'static {
    /// Makes the token that was asked for with this request; an earlier one is void.
    async fn mint(&self, mail_request_id: Uuid) -> Result<SecretString, NoToken>;
}

/// The words.
pub trait Texts: Send + Sync + 'static {
    /// What a notification says.
    fn notification(&self, occasion: &Occasion) -> Result<Text, Error>;

    /// A notification's text as an e-mail to somebody, with the link that belongs into
    /// the e-mail alone.
    fn mail(
        &self,
        kind: Kind,
        text: &Text,
        to: &Contact,
        link: Option<&str>,
    ) -> Result<Text, Error>;
}

//! What is known of people.

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{Contact, Preferences};

/// What is kept about a user beside notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub contact: Option<Contact>,
    pub preferences: Option<Preferences>,
    /// Newest first.
    pub deeds: Vec<Deed>,
}

/// What a user did as an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    pub at: OffsetDateTime,
    /// `<thing>.<verb>`.
    pub action: String,
    pub target: String,
    pub why: String,
    pub outcome: String,
}

/// What is known of people.
#[async_trait]
pub trait People: Send + Sync + 'static {
    /// What is kept about a user, at most `limit` deeds.
    async fn kept(&self, user_id: Uuid, limit: i64) -> Result<Kept, Error>;

    /// Removes everything about a user and takes nothing new on from now on. True when
    /// nothing is left: neither an e-mail that is being handed over nor the last one.
    async fn erase(&self, user_id: Uuid, now: OffsetDateTime) -> Result<bool, Error>;

    /// Removes what waits for users who are not known, and the tombstones of those who
    /// were erased, all of it from long ago.
    async fn forget_old(&self) -> Result<(), Error>;
}

//! Tokens that are not to be believed although they have not expired.

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;

/// A session that has ended, or an application that was taken away or has to ask anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    pub subject: Uuid,
    pub at: OffsetDateTime,
}

/// What was revoked since some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedSince {
    pub revoked: Vec<Revoked>,
    /// The moment to ask with the next time.
    pub next: OffsetDateTime,
}

/// Where it is written down, by whatever ends a session.
#[async_trait]
pub trait Revocations: Send + Sync + 'static {
    /// What was revoked since then, or all that is remembered.
    async fn since(&self, moment: Option<OffsetDateTime>) -> Result<RevokedSince, Error>;

    /// Forgets what was revoked before `limit`.
    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error>;
}

//! Mails with a token in them.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// What a token in a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailPurpose {
    VerifyEmail,
    ResetPassword,
}

impl MailPurpose {
    /// The name it is stored under.
    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// How long its token works (OWASP ASVS 2.5 asks for a short life).
    pub fn life(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::days(1),
            Self::ResetPassword => Duration::hours(1),
        }
    }
}

/// How soon another mail of the kind may be asked for.
pub const PAUSE: Duration = Duration::MINUTE;

/// A mail that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailRequest {
    pub id: Uuid,
    pub user: Uuid,
    pub purpose: MailPurpose,
    pub created_at: OffsetDateTime,
}

impl MailRequest {
    pub fn new(user: Uuid, purpose: MailPurpose, now: OffsetDateTime) -> Self {
        Self { id: Uuid::now_v7(), user, purpose, created_at: now }
    }

    pub fn expires_at(&self) -> OffsetDateTime {
        self.created_at + self.purpose.life()
    }
}

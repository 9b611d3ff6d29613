//! What happens to the security of an account.

use time::OffsetDateTime;
use uuid::Uuid;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    AccountRegistered,
    AccountClosed,
    AccountErased,
    EmailVerified,
    LoginSucceeded,
    LoginFailed,
    PasswordChanged,
    PasswordReset,
    PasswordResetRequested,
    RolesChanged,
    SecondFactorAdded,
    SecondFactorRemoved,
    RecoveryCodeUsed,
    SessionRevoked,
    /// A refresh token came a second time: somebody else may have it.
    SessionsRevoked,
    KeysRotated,
}

impl EventKind {
    /// The name it is stored and published under.
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountRegistered => "account.registered",
            Self::AccountClosed => "account.closed",
            Self::AccountErased => "account.erased",
            Self::EmailVerified => "email.verified",
            Self::LoginSucceeded => "login.succeeded",
            Self::LoginFailed => "login.failed",
            Self::PasswordChanged => "password.changed",
            Self::PasswordReset => "password.reset",
            Self::PasswordResetRequested => "password.reset_requested",
            Self::RolesChanged => "roles.changed",
            Self::SecondFactorAdded => "second_factor.added",
            Self::SecondFactorRemoved => "second_factor.removed",
            Self::RecoveryCodeUsed => "recovery_code.used",
            Self::SessionRevoked => "session.revoked",
            Self::SessionsRevoked => "sessions.revoked",
            Self::KeysRotated => "keys.rotated",
        }
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's IP address, as the edge saw it.
    pub address: Option<String>,
    /// What the client calls itself; may be empty.
    pub user_agent: String,
}

/// A security event, about to be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub kind: EventKind,
    pub at: OffsetDateTime,
    /// Whose account, where there is one.
    pub user: Option<Uuid>,
    pub address: Option<String>,
}

impl Event {
    /// An event about somebody's account.
    pub fn of(kind: EventKind, user: Uuid, at: OffsetDateTime, origin: &Origin) -> Self {
        Self { kind, at, user: Some(user), address: origin.address.clone() }
    }

    /// An event about no account that exists.
    pub fn of_nobody(kind: EventKind, at: OffsetDateTime, origin: &Origin) -> Self {
        Self { kind, at, user: None, address: origin.address.clone() }
    }
}

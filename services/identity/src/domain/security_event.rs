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
    /// Somebody's roles were changed; whose is said.
    RolesChanged,
    /// Somebody changed another's roles; who is said.
    RolesGiven,
    RoleCreated,
    RoleChanged,
    RoleDeleted,
    ClientRegistered,
    ClientRemoved,
    SecondFactorAdded,
    SecondFactorRemoved,
    RecoveryCodeUsed,
    SessionRevoked,
    /// A refresh token came a second time: somebody else may have it.
    SessionsRevoked,
    KeysRotated,
    /// An account that a restore had brought back was closed again.
    ErasureRepeated,
    /// Somebody had erasures repeated.
    ErasuresRepeated,
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
            Self::RolesGiven => "roles.given",
            Self::RoleCreated => "role.created",
            Self::RoleChanged => "role.changed",
            Self::RoleDeleted => "role.deleted",
            Self::ClientRegistered => "client.registered",
            Self::ClientRemoved => "client.removed",
            Self::SecondFactorAdded => "second_factor.added",
            Self::SecondFactorRemoved => "second_factor.removed",
            Self::RecoveryCodeUsed => "recovery_code.used",
            Self::SessionRevoked => "session.revoked",
            Self::SessionsRevoked => "sessions.revoked",
            Self::KeysRotated => "keys.rotated",
            Self::ErasureRepeated => "erasure.repeated",
            Self::ErasuresRepeated => "erasures.repeated",
        }
    }

    /// Whether others are told: the user gets a mail. The log keeps all.
    pub fn is_published(self) -> bool {
        match self {
            Self::AccountClosed
            | Self::EmailVerified
            | Self::PasswordChanged
            | Self::PasswordReset
            | Self::RolesChanged
            | Self::SecondFactorAdded
            | Self::SecondFactorRemoved
            | Self::RecoveryCodeUsed
            | Self::SessionsRevoked => true,
            Self::AccountRegistered
            | Self::AccountErased
            | Self::LoginSucceeded
            | Self::LoginFailed
            | Self::PasswordResetRequested
            | Self::RolesGiven
            | Self::RoleCreated
            | Self::RoleChanged
            | Self::RoleDeleted
            | Self::ClientRegistered
            | Self::ClientRemoved
            | Self::SessionRevoked
            | Self::KeysRotated
            | Self::ErasureRepeated
            | Self::ErasuresRepeated => false,
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
    /// What exactly, for example which roles. It stays when whose it was is erased:
    /// never anybody's id or name.
    pub detail: String,
}

impl Event {
    /// An event about somebody's account.
    pub fn of(kind: EventKind, user: Uuid, at: OffsetDateTime, origin: &Origin) -> Self {
        let (user, address, detail) = (Some(user), origin.address.clone(), String::new());
        Self { kind, at, user, address, detail }
    }

    /// An event about no account that exists.
    pub fn of_nobody(kind: EventKind, at: OffsetDateTime, origin: &Origin) -> Self {
        Self { kind, at, user: None, address: origin.address.clone(), detail: String::new() }
    }

    /// The same with what exactly happened.
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }
}

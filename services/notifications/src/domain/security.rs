//! What happens to an account that its user is told about, wanted or not.

/// An event that concerns the security of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityEvent {
    PasswordChanged,
    PasswordReset,
    SecondFactorAdded,
    SecondFactorRemoved,
    /// A refresh token was used a second time.
    SessionsRevoked,
    EmailVerified,
    /// A code for the day when the authenticator app is lost: one fewer is left.
    RecoveryCodeUsed,
    RolesChanged,
    AccountClosed,
}

impl SecurityEvent {
    pub const ALL: [Self; 9] = [
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::SecondFactorAdded,
        Self::SecondFactorRemoved,
        Self::SessionsRevoked,
        Self::EmailVerified,
        Self::RecoveryCodeUsed,
        Self::RolesChanged,
        Self::AccountClosed,
    ];

    /// By the kind that identity tells; nothing for one that nobody needs a mail about.
    pub fn of_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.kind() == kind)
    }

    /// The kind that identity tells.
    pub fn kind(self) -> &'static str {
        match self {
            Self::PasswordChanged => "password.changed",
            Self::PasswordReset => "password.reset",
            Self::SecondFactorAdded => "second_factor.added",
            Self::SecondFactorRemoved => "second_factor.removed",
            Self::SessionsRevoked => "sessions.revoked",
            Self::EmailVerified => "email.verified",
            Self::RecoveryCodeUsed => "recovery_code.used",
            Self::RolesChanged => "roles.changed",
            Self::AccountClosed => "account.closed",
        }
    }

    /// The name of its template.
    pub fn template(self) -> &'static str {
        match self {
            Self::PasswordChanged => "security_password_changed",
            Self::PasswordReset => "security_password_reset",
            Self::SecondFactorAdded => "security_second_factor_added",
            Self::SecondFactorRemoved => "security_second_factor_removed",
            Self::SessionsRevoked => "security_sessions_revoked",
            Self::EmailVerified => "security_email_verified",
            Self::RecoveryCodeUsed => "security_recovery_code_used",
            Self::RolesChanged => "security_roles_changed",
            Self::AccountClosed => "security_account_closed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_known_by_what_identity_calls_them_and_others_are_not() {
        for event in SecurityEvent::ALL {
            assert_eq!(SecurityEvent::of_kind(event.kind()), Some(event));
        }
        for kind in ["login.succeeded", "keys.rotated", ""] {
            assert_eq!(SecurityEvent::of_kind(kind), None);
        }
    }
}

//! What can go wrong in a use case.

use crate::domain::{NotHeld, RuleBroken};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is an account with this e-mail address")]
    EmailTaken,
    #[error("e-mail address or password is wrong")]
    BadCredentials,
    #[error("the refresh token is not valid")]
    RefreshTokenInvalid,
    #[error("there is no such user")]
    UserNotFound,
    #[error(transparent)]
    Rule(#[from] RuleBroken),
    #[error("too many sign-ins at once")]
    TooManyLogins,
    #[error("too many wrong guesses")]
    LoginThrottled(time::Duration),
    #[error("a one-time code is needed too")]
    SecondFactorRequired,
    #[error("the one-time code is not right")]
    CodeWrong,
    #[error("the account has a second factor")]
    SecondFactorActive,
    #[error("the account has no such second factor")]
    SecondFactorNotEnrolled,
    #[error("the current password is not right")]
    PasswordWrong,
    #[error("the password is one that everybody tries first")]
    PasswordCommon,
    #[error("the address is proven already")]
    EmailVerified,
    #[error("a mail of this kind was asked for a moment ago")]
    TooManyMails,
    #[error("the token is unknown, used, replaced or expired")]
    MailTokenInvalid,
    #[error("nobody asked for such a mail, or it is too late for it")]
    MailRequestNotFound,
    #[error("there is no such session")]
    SessionNotFound,
    #[error("there is no such application")]
    ClientNotFound,
    #[error("a key that is published does not sign yet")]
    RotationRunning,
    #[error("there is no such role")]
    RoleUnknown(usize),
    #[error("there is no such role any more")]
    RoleGone,
    #[error("there is no such role")]
    RoleNotFound,
    #[error("there is a role of this name")]
    RoleExists,
    #[error("the role is one of the contract's")]
    RoleBuiltIn,
    #[error("somebody has the role: take it from them first")]
    RoleInUse,
    #[error("there are as many roles as there may be")]
    TooManyRoles,
    #[error("the contract has no permission `{0}`")]
    PermissionUnknown(String),
    #[error("you do not hold `{0}` yourself")]
    PermissionNotHeld(String),
    #[error("there is no such address")]
    AddressNotFound,
    #[error("the address book is full")]
    TooManyAddresses,
    #[error("make another address the default in its place")]
    DefaultAddressNeeded,
    #[error("there is no such country")]
    CountryUnknown,
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] Cause),
    #[error("a service that keeps personal data does not answer: {0}")]
    Elsewhere(String),
    #[error("{0}")]
    Internal(#[source] Cause),
}

impl From<NotHeld> for Error {
    fn from(NotHeld(permission): NotHeld) -> Self {
        Self::PermissionNotHeld(permission)
    }
}

impl Error {
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

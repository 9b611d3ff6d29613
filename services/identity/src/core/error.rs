//! What can go wrong in a use case.

use crate::domain::RuleBroken;

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
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] Cause),
    #[error("{0}")]
    Internal(#[source] Cause),
}

impl Error {
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

//! What can go wrong in a use case.

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] Cause),
    /// By a token that outlives its user.
    #[error("the access token is not valid: its account is closed")]
    UserErased,
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

//! Everything that can go wrong, by name.

use crate::domain::{Failure, RefundError};

/// What a lower layer said.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such payment")]
    NotFound,
    #[error("the order is closed: no money is taken for it any more")]
    Closed,
    #[error("the order has a payment of another amount or customer")]
    Mismatch,
    #[error("an amount must be more than zero")]
    AmountNotPositive,
    #[error("the provider refused: {}", .0.reason())]
    Failed(Failure),
    #[error("only money that is set aside can be taken")]
    NotCapturable,
    #[error(transparent)]
    Refund(#[from] RefundError),
    /// By a token that outlives its user.
    #[error("the access token is not valid: its account is closed")]
    UserErased,
    #[error("the idempotency key was used for another request")]
    KeyReused,
    #[error("others changed the payment at the same time")]
    Conflict,
    /// The outcome is not known; the same call again finds it out.
    #[error("the provider does not answer: {0}")]
    ProviderUnavailable(String),
    #[error("there is no such provider")]
    ProviderUnknown,
    #[error("the window must end after it starts, and span 31 days at most")]
    WindowInvalid,
    #[error("the webhook's signature is not valid")]
    WebhookSignature,
    #[error("the webhook is malformed: {0}")]
    WebhookMalformed(String),
    /// The provider says what cannot be; told to operators where it was found.
    #[error("the provider contradicts us: {0}")]
    Contradiction(&'static str),
    #[error("the database does not answer")]
    Unavailable(#[source] Cause),
    #[error("the store failed")]
    Store(#[source] Cause),
}

impl Error {
    /// A failure of the store.
    pub fn store(cause: impl Into<Cause>) -> Self {
        Self::Store(cause.into())
    }

    /// The store is away; the same call may work in a moment.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }
}

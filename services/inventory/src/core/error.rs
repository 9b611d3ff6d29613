//! What can go wrong in a use case.

use uuid::Uuid;

use crate::domain::{Shortage, State};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("only {available} pieces are available")]
    TooFewAvailable { available: i64 },
    #[error("there are too few pieces of {} products", .0.len())]
    Short(Vec<Shortage>),
    #[error("the order's reservation was {} before", .0.name())]
    Closed(State),
    /// Its reservation, if it had one, is long closed and deleted.
    #[error("order {0} is too old to be reserved for")]
    Forgotten(Uuid),
    #[error("order {0} has no reservation")]
    ReservationNotFound(Uuid),
    #[error("the idempotency key was used for another adjustment")]
    KeyReused,
    /// It may answer later.
    #[error("the database does not answer: {0}")]
    Unavailable(#[source] Cause),
    /// Our own fault.
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

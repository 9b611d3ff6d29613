//! What can go wrong in a use case.

use uuid::Uuid;

use crate::domain::Violation;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no product {0}")]
    ProductNotFound(Uuid),
    #[error("another product has this SKU")]
    SkuTaken,
    #[error("there is no such category")]
    CategoryUnknown,
    #[error("the product is not acceptable: {0:?}")]
    Invalid(Vec<Violation>),
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

//! Why a use case fails.

use uuid::Uuid;

use crate::domain::OrderState;

/// Why a use case fails.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no such order")]
    OrderNotFound,
    /// By a token that outlives its user.
    #[error("the access token is not valid: its account is closed")]
    UserErased,
    #[error("the cart is empty")]
    CartEmpty,
    #[error("some products of the cart cannot be bought")]
    ProductUnavailable(Vec<Unavailable>),
    #[error("the idempotency key came with another request before")]
    KeyReused,
    #[error("an order that is {} cannot be cancelled", .0.name())]
    NotCancellable(OrderState),
    /// Somebody else works on the order; later it can be had.
    #[error("the order is being worked on")]
    Busy,
    #[error("there is no such saga")]
    SagaNotFound,
    #[error("the saga has ended")]
    SagaEnded,
    #[error("the saga goes backward already")]
    SagaGoesBackward,
    #[error("the saga is being driven")]
    SagaBusy,
    /// Something that is needed does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// Our own fault.
    #[error("{0}")]
    Internal(String),
}

/// A line of the cart that cannot be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// Position in the cart, from 0.
    pub position: usize,
    pub product_id: Uuid,
    pub why: &'static str,
}

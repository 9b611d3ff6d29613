//! A payment provider, as far as payments are made there.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{Charge, Failure, Payment, Refund, RefundState, Token};

/// A payment provider. Every change carries an idempotency key made from the
/// payment and the operation, so that it may be asked for again.
#[async_trait]
pub trait Provider: Send + Sync {
    async fn authorize(&self, payment: &Payment, token: &Token) -> Result<Charge, ProviderError>;

    async fn capture(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError>;

    async fn void(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError>;

    async fn refund(&self, refund: &Refund, charge_id: &str) -> Result<(), ProviderError>;

    /// The charge made for a payment, if the provider knows of one: by the charge's
    /// id where we have it, otherwise by our reference.
    async fn find(&self, payment: &Payment) -> Result<Option<Charge>, ProviderError>;

    /// What became of a refund, if the provider knows of it.
    async fn find_refund(
        &self,
        refund: &Refund,
        charge_id: &str,
    ) -> Result<Option<RefundState>, ProviderError>;

    /// How long the provider is sure to remember an idempotency key. Whoever asks
    /// again later may be given a second charge, or a second refund.
    fn remembers_keys_for(&self) -> Duration;
}

/// Why a provider did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The means of payment was refused: a final answer.
    #[error("refused: {}", .why.reason())]
    Declined { why: Failure, charge_id: Option<String> },
    /// The charge's state does not allow it; nothing has changed.
    #[error("the charge does not allow it: {0}")]
    Refused(String),
    /// Whether it was done is not known.
    #[error("{0}")]
    Unknown(String),
}

impl From<ProviderError> for Error {
    /// For places where only an unknown outcome is left to expect.
    fn from(error: ProviderError) -> Self {
        Self::ProviderUnavailable(error.to_string())
    }
}

//! Money on its way back.

use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use super::{Payment, State};

/// A refund that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// UUIDv7.
    pub id: Uuid,
    pub payment_id: Uuid,
    /// Absent: all that is left.
    pub amount: Option<Money>,
    /// Why, for the audit trail.
    pub reason: String,
    /// Absent: the order was reversed.
    pub requester: Option<Requester>,
}

/// Who asks for a refund, and with which idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    pub user_id: Uuid,
    pub idempotency_key: String,
}

/// A refund whose money is reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub id: Uuid,
    pub payment_id: Uuid,
    pub amount: Money,
    pub state: RefundState,
    pub created_at: OffsetDateTime,
}

/// Where a refund is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// The provider has not answered yet.
    Pending,
    Succeeded,
    Failed,
}

/// Why money cannot be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    #[error("no money was taken, or all of it was given back")]
    NotRefundable,
    #[error("that is more than what is left")]
    TooLarge,
    #[error("the payment is in another currency")]
    OtherCurrency,
    #[error("the amount must be more than zero")]
    NotPositive,
}

impl Payment {
    /// How much a refund of `asked` (absent: all that is left) gives back.
    pub fn refundable(&self, asked: Option<Money>) -> Result<Money, RefundError> {
        if asked.is_some_and(|a| a.currency() != self.amount.currency()) {
            return Err(RefundError::OtherCurrency);
        }
        if asked.is_some_and(|a| a.minor() <= 0) {
            return Err(RefundError::NotPositive);
        }
        if !matches!(self.state, State::Captured | State::PartiallyRefunded) {
            return Err(RefundError::NotRefundable);
        }
        let left = self.amount.minor() - self.refunded_minor - self.refunding_minor;
        let minor = asked.map_or(left, Money::minor);
        if minor > left || left == 0 {
            return Err(RefundError::TooLarge);
        }
        Ok(Money::new(minor, self.amount.currency()))
    }
}

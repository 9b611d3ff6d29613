//! Gives money of a captured payment back, all of it or a part.

use super::ports::ProviderError;
use super::{Error, Payments};
use crate::domain::{NewRefund, Payment, Refund, RefundError, RefundState};

impl Payments {
    /// Gives money back, once per idempotency key.
    ///
    /// Errors: `NotFound`, `Refund`, `KeyReused`, `ProviderUnavailable` while the
    /// outcome is not known.
    pub async fn refund(&self, new: NewRefund) -> Result<Payment, Error> {
        let refund = self.refunds.reserve(&new).await?;
        match self.drive(&refund).await? {
            RefundState::Failed => Err(RefundError::NotRefundable.into()),
            RefundState::Pending | RefundState::Succeeded => self.reload(new.payment_id).await,
        }
    }

    /// Asks the provider for a refund that has no answer yet, and records it.
    pub(super) async fn drive(&self, refund: &Refund) -> Result<RefundState, Error> {
        if refund.state != RefundState::Pending {
            return Ok(refund.state);
        }
        let payment = self.reload(refund.payment_id).await?;
        let charge_id = payment.charge_id.as_deref().unwrap_or_default();
        let outcome = match self.provider.refund(refund, charge_id).await {
            Ok(()) => RefundState::Succeeded,
            Err(ProviderError::Refused(why)) => {
                metrics::counter!("payments_contradictions_total").increment(1);
                tracing::error!(
                    payment.id = %payment.id,
                    refund.id = %refund.id,
                    "the provider refused a refund that we hold the money of: {why}"
                );
                RefundState::Failed
            }
            Err(error) => return Err(error.into()),
        };
        self.refunds.settle(refund, outcome).await?;
        Ok(outcome)
    }
}

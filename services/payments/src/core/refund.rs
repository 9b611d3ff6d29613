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
        self.check_provider(&payment)?;
        let charge_id = payment.charge_id.as_deref().unwrap_or_default();
        let outcome = match self.made_before(refund, charge_id).await? {
            Some(outcome) => outcome,
            None => self.make(&payment, refund, charge_id).await?,
        };
        self.refunds.settle(refund, outcome).await?;
        Ok(outcome)
    }

    /// What became of a refund that it is too late to ask for again: with its
    /// idempotency key forgotten, money would be given back a second time.
    async fn made_before(
        &self,
        refund: &Refund,
        charge_id: &str,
    ) -> Result<Option<RefundState>, Error> {
        if self.keys_are_forgotten(refund.created_at) {
            return Ok(self.provider.find_refund(refund, charge_id).await?);
        }
        Ok(None)
    }

    async fn make(
        &self,
        payment: &Payment,
        refund: &Refund,
        charge_id: &str,
    ) -> Result<RefundState, Error> {
        match self.provider.refund(refund, charge_id).await {
            Ok(()) => Ok(RefundState::Succeeded),
            Err(ProviderError::Refused(why)) => {
                metrics::counter!("payments_contradictions_total").increment(1);
                tracing::error!(
                    payment.id = %payment.id,
                    refund.id = %refund.id,
                    "the provider refused a refund that we hold the money of: {why}"
                );
                Ok(RefundState::Failed)
            }
            Err(error) => Err(error.into()),
        }
    }
}

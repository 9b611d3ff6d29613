//! How news from the provider change a payment: the only way, whoever brings them.

use super::ports::ProviderError;
use super::{Error, Payments, TRIES};
use crate::domain::{Charge, Lesson, Payment};

impl Payments {
    /// Records what a charge means for a payment, and frees money that is set aside
    /// for nothing.
    pub(super) async fn learn(
        &self,
        mut payment: Payment,
        charge: &Charge,
    ) -> Result<Payment, Error> {
        let mut charge = charge.clone();
        for _ in 0..TRIES {
            match payment.learn(&charge, types::now()) {
                Lesson::Nothing => return Ok(payment),
                Lesson::Changed(next, events) => {
                    if self.payments.save(&next, &events).await? {
                        return Ok(*next);
                    }
                    payment = self.reload(payment.id).await?;
                }
                Lesson::Stray => charge = self.free(&payment, &charge).await?,
                Lesson::Contradiction(what) => return Err(contradiction(&payment, &charge, what)),
            }
        }
        Err(Error::Conflict)
    }

    /// Records what the provider knows of a payment; nothing when it knows nothing.
    pub(super) async fn look_up(&self, payment: Payment) -> Result<Payment, Error> {
        match self.provider.find_by_reference(payment.id).await? {
            Some(charge) => self.learn(payment, &charge).await,
            None => Ok(payment),
        }
    }

    /// Frees money that is set aside for a payment that is over.
    async fn free(&self, payment: &Payment, charge: &Charge) -> Result<Charge, Error> {
        metrics::counter!("payments_stray_charges_total").increment(1);
        tracing::warn!(
            payment.id = %payment.id,
            charge.id = charge.id,
            "money was set aside for a payment that is over; freeing it"
        );
        match self.provider.void(payment.id, &charge.id).await {
            Ok(voided) => Ok(voided),
            Err(ProviderError::Refused(_)) => {
                Err(contradiction(payment, charge, "a stray charge cannot be voided"))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Told to operators here, by the log and by an alert on the metric.
fn contradiction(payment: &Payment, charge: &Charge, what: &'static str) -> Error {
    metrics::counter!("payments_contradictions_total").increment(1);
    tracing::error!(
        payment.id = %payment.id,
        payment.state = ?payment.state,
        payment.amount = %payment.amount,
        charge.id = charge.id,
        charge.state = ?charge.state,
        charge.amount = ?charge.amount,
        charge.refunded_minor,
        "not applied: {what}"
    );
    Error::Contradiction(what)
}

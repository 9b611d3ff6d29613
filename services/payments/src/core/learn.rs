//! How news from the provider change a payment: the only way, whoever brings them.

use super::ports::ProviderError;
use super::{Error, Payments, TRIES};
use crate::domain::{Charge, ChargeState, Lesson, Payment, State};

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

    /// What the provider knows of a payment.
    pub(super) async fn find(&self, payment: &Payment) -> Result<Option<Charge>, Error> {
        self.check_provider(payment)?;
        Ok(self.provider.find(payment).await?)
    }

    /// Records what the provider knows of a payment; nothing when it knows nothing.
    pub(super) async fn look_up(&self, payment: Payment) -> Result<Payment, Error> {
        match self.find(&payment).await? {
            Some(charge) => self.learn(payment, &charge).await,
            None => Ok(payment),
        }
    }

    /// Looks a payment up, and gives up one that the provider does not know and that
    /// cannot be asked for again.
    pub(super) async fn look_up_or_give_up(&self, payment: Payment) -> Result<Payment, Error> {
        let payment = self.look_up(payment).await?;
        if payment.state == State::Pending && self.keys_are_forgotten(payment.created_at) {
            return self.give_up(payment).await;
        }
        Ok(payment)
    }

    /// Voids a payment here. A charge that is still on its way is freed when it
    /// arrives.
    pub(super) async fn give_up(&self, payment: Payment) -> Result<Payment, Error> {
        let next = payment.abandoned(types::now());
        if self.payments.save(&next, &[]).await? {
            return Ok(next);
        }
        self.reload(payment.id).await
    }

    /// Frees money that is set aside for a payment that is over.
    pub(super) async fn free(&self, payment: &Payment, charge: &Charge) -> Result<Charge, Error> {
        metrics::counter!("payments_stray_charges_total").increment(1);
        tracing::warn!(
            payment.id = %payment.id,
            charge.id = charge.id,
            "money was set aside for a payment that is over; freeing it"
        );
        match self.provider.void(payment.id, &charge.id).await {
            Ok(voided) => Ok(voided),
            // Perhaps it is free already: somebody else was faster, or it expired.
            Err(ProviderError::Refused(_)) => self.freed(payment, charge).await,
            Err(error) => Err(error.into()),
        }
    }

    async fn freed(&self, payment: &Payment, charge: &Charge) -> Result<Charge, Error> {
        let stray = Payment { charge_id: Some(charge.id.clone()), ..payment.clone() };
        match self.provider.find(&stray).await? {
            Some(found) if found.state == ChargeState::Voided => Ok(found),
            _ => Err(contradiction(payment, charge, "a stray charge cannot be voided")),
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

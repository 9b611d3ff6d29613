//! Takes the money that was set aside.

use uuid::Uuid;

use super::ports::{PaymentKey, ProviderError};
use super::{Error, Payments};
use crate::domain::{Payment, State};

impl Payments {
    /// Takes the money. A payment whose money was taken is answered as it is, also
    /// when some was given back since.
    ///
    /// Errors: `NotFound`, `NotCapturable`, `ProviderUnavailable`.
    pub async fn capture(&self, order_id: Uuid) -> Result<Payment, Error> {
        let found = self.payments.find(PaymentKey::Order(order_id)).await?;
        let mut payment = found.ok_or(Error::NotFound)?;
        if let (State::Authorized, Some(charge_id)) = (payment.state, payment.charge_id.clone()) {
            self.check_provider(&payment)?;
            payment = match self.provider.capture(payment.id, &charge_id).await {
                Ok(charge) => self.learn(payment, &charge).await?,
                // Captured or voided already, and not recorded here: find out which.
                Err(ProviderError::Refused(_)) => self.look_up(payment).await?,
                Err(error) => return Err(error.into()),
            };
        }
        match payment.state {
            State::Captured | State::PartiallyRefunded | State::Refunded => Ok(payment),
            State::Pending | State::Authorized | State::Failed(_) | State::Voided => {
                Err(Error::NotCapturable)
            }
        }
    }
}

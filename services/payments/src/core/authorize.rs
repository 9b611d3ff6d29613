//! Sets an order's money aside, once, however often it is asked for.

use types::Money;
use uuid::Uuid;

use super::ports::{Begun, ProviderError};
use super::{Error, Payments};
use crate::domain::{Event, Failure, Payment, State, Token};

/// What is to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub amount: Money,
    pub token: Token,
    /// Nobody is behind the order.
    pub synthetic: bool,
}

impl Payments {
    /// Sets the money aside.
    ///
    /// Errors: `AmountNotPositive`, `Mismatch`, `Failed`, `Closed`,
    /// `ProviderUnavailable` while the outcome is not known.
    pub async fn authorize(&self, order: Order) -> Result<Payment, Error> {
        let Order { order_id, user_id, amount, token, synthetic } = order;
        if amount.minor() <= 0 {
            return Err(Error::AmountNotPositive);
        }
        let means = (self.provider_name, token);
        let new = Payment::new(Uuid::now_v7(), (order_id, user_id), amount, means, types::now());
        let new = Payment { synthetic, ..new };
        let Begun::Payment(payment) = self.payments.begin(&new).await? else {
            return Err(Error::Closed);
        };
        if payment.user_id != user_id || payment.amount != amount {
            return Err(Error::Mismatch);
        }
        outcome(self.ask(*payment).await?)
    }

    /// Asks the provider while the outcome is not known, with the token that was
    /// sent first: it belongs to the idempotency key.
    async fn ask(&self, payment: Payment) -> Result<Payment, Error> {
        let Some(token) = &payment.token else { return Ok(payment) };
        self.check_provider(&payment)?;
        if self.keys_are_forgotten(payment.created_at) {
            return self.look_up_or_give_up(payment).await;
        }
        match self.provider.authorize(&payment, token).await {
            Ok(charge) => self.learn(payment, &charge).await,
            Err(ProviderError::Declined { why, charge_id }) => {
                self.fail(payment, why, charge_id.as_deref()).await
            }
            Err(error) => {
                // A webhook may have told the outcome while we waited for the answer.
                let payment = self.reload(payment.id).await?;
                let settled = payment.state != State::Pending;
                if settled { Ok(payment) } else { Err(error.into()) }
            }
        }
    }

    async fn fail(
        &self,
        payment: Payment,
        why: Failure,
        charge_id: Option<&str>,
    ) -> Result<Payment, Error> {
        let next = payment.failed(why, charge_id, types::now());
        if self.payments.save(&next, &[Event::Failed(why)]).await? {
            return Ok(next);
        }
        // A webhook or a reversal was faster; whatever it recorded holds.
        self.reload(payment.id).await
    }
}

fn outcome(payment: Payment) -> Result<Payment, Error> {
    match payment.state {
        State::Authorized | State::Captured | State::PartiallyRefunded => Ok(payment),
        State::Failed(why) => Err(Error::Failed(why)),
        State::Voided | State::Refunded => Err(Error::Closed),
        State::Pending => Err(Error::ProviderUnavailable("it has not answered yet".to_owned())),
    }
}

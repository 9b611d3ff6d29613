//! Gives an order's money back, wherever it is.

use uuid::Uuid;

use super::ports::ProviderError;
use super::{Error, Payments, TRIES};
use crate::domain::{NewRefund, Payment, RefundState, State};

impl Payments {
    /// Takes the payment to an end without money, step by step. An order without a
    /// payment is closed: no money is taken for it any more.
    ///
    /// Errors: `ProviderUnavailable`; the same call again goes on.
    pub async fn reverse(&self, order_id: Uuid) -> Result<Option<Payment>, Error> {
        let Some(mut payment) = self.payments.close(order_id).await? else { return Ok(None) };
        for _ in 0..TRIES {
            payment = match payment.state {
                State::Failed(_) | State::Voided | State::Refunded => return Ok(Some(payment)),
                State::Pending => self.abandon(payment).await?,
                State::Authorized => self.void(payment).await?,
                State::Captured | State::PartiallyRefunded => self.refund_rest(&payment).await?,
            };
        }
        Err(Error::Conflict)
    }

    /// A charge may have been made whose answer we never got. If there is none yet,
    /// one that is still on its way finds the payment voided when it arrives.
    async fn abandon(&self, payment: Payment) -> Result<Payment, Error> {
        match self.find(&payment).await? {
            None => self.give_up(payment).await,
            // Nobody will ever take another amount than was asked for.
            Some(charge) if charge.is_set_aside_wrongly(payment.amount) => {
                self.free(&payment, &charge).await?;
                self.give_up(payment).await
            }
            Some(charge) => self.learn(payment, &charge).await,
        }
    }

    async fn void(&self, payment: Payment) -> Result<Payment, Error> {
        self.check_provider(&payment)?;
        let charge_id = payment.charge_id.as_deref().unwrap_or_default();
        match self.provider.void(payment.id, charge_id).await {
            Ok(charge) => self.learn(payment, &charge).await,
            // Captured or voided already, and not recorded here: find out which.
            Err(ProviderError::Refused(_)) => self.look_up(payment).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Refunds under way come first, so that the rest is what they leave.
    async fn refund_rest(&self, payment: &Payment) -> Result<Payment, Error> {
        let under_way = self.refunds.pending(payment.id).await?.into_iter().next();
        let refund = match under_way {
            Some(refund) => refund,
            None => match self.refunds.reserve(&rest(payment)).await {
                Ok(refund) => refund,
                // Somebody else refunds at the same time: look again.
                Err(Error::Refund(_)) => return self.reload(payment.id).await,
                Err(error) => return Err(error),
            },
        };
        match self.drive(&refund).await? {
            RefundState::Failed => Err(Error::Contradiction("the rest cannot be refunded")),
            RefundState::Pending | RefundState::Succeeded => self.reload(payment.id).await,
        }
    }
}

fn rest(payment: &Payment) -> NewRefund {
    NewRefund {
        id: Uuid::now_v7(),
        payment_id: payment.id,
        amount: None,
        reason: "the order was reversed".to_owned(),
        requester: None,
    }
}

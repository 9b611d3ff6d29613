//! Settles what no answer and no webhook has settled, by asking the provider.

use super::{Error, Payments};
use crate::domain::{Payment, Refund};

/// How many are settled at a time.
const BATCH: i64 = 20;

impl Payments {
    /// Looks up payments and asks again for refunds whose outcome has been unknown
    /// for long, and handles webhooks that were stored and no more. What stays
    /// unknown comes back later.
    pub async fn sweep(&self) -> Result<(), Error> {
        for payment in self.payments.due(BATCH).await? {
            self.sweep_payment(payment).await;
        }
        for refund in self.refunds.due(BATCH).await? {
            self.sweep_refund(&refund).await;
        }
        for (event_id, body) in self.webhooks.due(self.provider_name, BATCH).await? {
            self.sweep_webhook(&event_id, &body).await;
        }
        Ok(())
    }

    async fn sweep_payment(&self, payment: Payment) {
        let (id, before) = (payment.id, payment.state);
        match self.look_up_or_give_up(payment).await {
            Ok(after) if after.state != before => {
                tracing::info!(payment.id = %id, payment.state = ?after.state, "settled late");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(payment.id = %id, error = %error, "still not settled"),
        }
    }

    async fn sweep_refund(&self, refund: &Refund) {
        match self.drive(refund).await {
            Ok(state) => {
                tracing::info!(refund.id = %refund.id, refund.state = ?state, "settled late");
            }
            Err(error) => {
                tracing::warn!(refund.id = %refund.id, error = %error, "still not settled");
            }
        }
    }

    /// Its signature was checked before it was stored.
    async fn sweep_webhook(&self, event_id: &str, body: &[u8]) {
        let handled = match self.reader.parse(body) {
            Ok(webhook) => self.handle_and_finish(&webhook).await,
            Err(error) => Err(error),
        };
        match handled {
            Ok(outcome) => tracing::info!(webhook.id = event_id, outcome, "settled late"),
            Err(error) => {
                tracing::warn!(webhook.id = event_id, error = %error, "still not settled");
            }
        }
    }
}

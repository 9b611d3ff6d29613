//! Settles what no answer and no webhook has settled, by asking the provider.

use super::{Error, Payments};
use crate::domain::{Payment, Refund};

/// How many are settled at a time.
const BATCH: i64 = 20;

impl Payments {
    /// Looks up payments and asks again for refunds whose outcome has been unknown
    /// for long. What stays unknown comes back later.
    pub async fn sweep(&self) -> Result<(), Error> {
        for payment in self.payments.due(BATCH).await? {
            self.sweep_payment(payment).await;
        }
        for refund in self.refunds.due(BATCH).await? {
            self.sweep_refund(&refund).await;
        }
        Ok(())
    }

    async fn sweep_payment(&self, payment: Payment) {
        let (id, before) = (payment.id, payment.state);
        match self.look_up(payment).await {
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
}

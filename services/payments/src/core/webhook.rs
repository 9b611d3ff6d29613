//! What the provider tells us: stored first, then handled by what it says and not
//! by when it arrives.

use super::ports::{News, PaymentKey, Webhook};
use super::{Error, Payments};
use crate::domain::ChargeState;

impl Payments {
    /// Checks, stores and handles a webhook. An error asks the provider to send it
    /// again.
    ///
    /// Errors: `ProviderUnknown`, `WebhookSignature`, `WebhookMalformed`,
    /// `ProviderUnavailable`.
    pub async fn receive_webhook(
        &self,
        provider: &str,
        signature: Option<&str>,
        body: &[u8],
    ) -> Result<(), Error> {
        if provider != self.provider_name {
            return Err(Error::ProviderUnknown);
        }
        self.reader.check(signature, body, types::now())?;
        let webhook = self.reader.parse(body)?;
        if self.webhooks.store(provider, &webhook, body).await? {
            count("duplicate");
            return Ok(());
        }
        self.handle_and_finish(&webhook).await.map(drop)
    }

    pub(super) async fn handle_and_finish(&self, webhook: &Webhook) -> Result<&'static str, Error> {
        let outcome = self.handle(webhook).await?;
        self.webhooks.finish(self.provider_name, &webhook.event_id, outcome).await?;
        count(outcome);
        Ok(outcome)
    }

    async fn handle(&self, webhook: &Webhook) -> Result<&'static str, Error> {
        let Some(News { payment_id, charge }) = &webhook.news else { return Ok("ignored") };
        let payment = match payment_id {
            Some(id) => self.payments.find(PaymentKey::Id(*id)).await?,
            None => None,
        };
        let payment = payment.filter(|p| p.provider == self.provider_name);
        let Some(payment) = payment else {
            tracing::warn!(
                webhook.id = webhook.event_id,
                charge.id = charge.id,
                "a webhook about a payment that is not ours"
            );
            return Ok("payment_unknown");
        };
        let payment = match self.learn(payment, charge).await {
            Ok(payment) => payment,
            Err(Error::Contradiction(_)) => return Ok("contradiction"),
            Err(error) => return Err(error),
        };
        // A refund that timed out is among them: the same key brings its answer.
        if charge.state == ChargeState::Captured && charge.refunded_minor > 0 {
            for refund in self.refunds.pending(payment.id).await? {
                self.drive(&refund).await?;
            }
        }
        Ok("applied")
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("payments_webhooks_total", "outcome" => outcome).increment(1);
}

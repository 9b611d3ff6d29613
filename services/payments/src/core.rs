//! The use cases. No database transaction is open while a provider is asked: the
//! intent is written first, then the provider is called with a key of its own, then
//! the answer is recorded if nobody else has changed the payment meanwhile.

pub mod error;
pub mod figures;
pub mod ports;

mod authorize;
mod capture;
mod learn;
mod people;
mod purge;
mod reconcile;
mod refund;
mod reverse;
mod sweep;
mod webhook;

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

pub use authorize::Order;
pub use error::Error;
use ports::{
    Accounts, Books, PaymentKey, PaymentRepository, People, Provider, RefundRepository, WebhookLog,
    WebhookReader,
};
pub use purge::Retention;
pub use reconcile::Findings;

use crate::domain::Payment;

/// A payment that changes this often between two looks is not ours to change now.
const TRIES: usize = 8;

/// The use cases and what they stand on.
#[derive(Clone)]
pub struct Payments {
    pub payments: Arc<dyn PaymentRepository>,
    pub refunds: Arc<dyn RefundRepository>,
    pub webhooks: Arc<dyn WebhookLog>,
    /// The name of the provider, as in webhook paths.
    pub provider_name: &'static str,
    pub provider: Arc<dyn Provider>,
    pub reader: Arc<dyn WebhookReader>,
    pub accounts: Arc<dyn Accounts>,
    pub books: Arc<dyn Books>,
    pub people: Arc<dyn People>,
}

/// Who looks at a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    pub user_id: Uuid,
    /// Others' payments too.
    pub sees_all: bool,
}

impl Payments {
    /// A payment, if the viewer may see it; otherwise it does not exist for them.
    pub async fn get(&self, id: Uuid, viewer: Viewer) -> Result<Payment, Error> {
        let payment = self.reload(id).await?;
        if viewer.sees_all || payment.user_id == viewer.user_id {
            return Ok(payment);
        }
        Err(Error::NotFound)
    }

    async fn reload(&self, id: Uuid) -> Result<Payment, Error> {
        self.payments.find(PaymentKey::Id(id)).await?.ok_or(Error::NotFound)
    }

    /// A payment that was begun at another provider cannot be gone on with here:
    /// ids and idempotency keys mean nothing to this one.
    fn check_provider(&self, payment: &Payment) -> Result<(), Error> {
        if payment.provider == self.provider_name {
            return Ok(());
        }
        Err(Error::ProviderUnavailable(format!("{} is not the one in use", payment.provider)))
    }

    /// True when the provider may have forgotten the idempotency keys of something
    /// that was begun then: asking again would be asking for a second one.
    fn keys_are_forgotten(&self, begun_at: OffsetDateTime) -> bool {
        types::now() - begun_at > self.provider.remembers_keys_for()
    }
}

//! What the use cases need from elsewhere.

mod books;
mod people;
mod provider;

use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

pub use books::{Accounts, Books, Entry, Listing, Page, Turn, Window};
pub use people::{People, RefundRecord};
pub use provider::{Provider, ProviderError};

use super::Error;
use crate::domain::{Charge, Event, NewRefund, Payment, Refund, RefundState};

/// How a payment is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentKey {
    Id(Uuid),
    Order(Uuid),
}

/// What came of beginning a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The order's payment: the new one, or the one it had.
    Payment(Box<Payment>),
    /// The order was reversed before.
    Closed,
}

/// Where payments are kept.
#[async_trait]
pub trait PaymentRepository: Send + Sync {
    /// Keeps a new payment unless its order has one or is closed, or its user was
    /// erased: then the order is as good as closed.
    async fn begin(&self, new: &Payment) -> Result<Begun, Error>;

    /// Closes an order that has no payment; answers the payment it has.
    async fn close(&self, order_id: Uuid) -> Result<Option<Payment>, Error>;

    async fn find(&self, key: PaymentKey) -> Result<Option<Payment>, Error>;

    /// Keeps a payment's next version, its events and their entries in the ledger.
    /// False: somebody else was faster, and nothing was kept.
    async fn save(&self, next: &Payment, events: &[Event]) -> Result<bool, Error>;

    /// Payments that it is time to ask the provider about; each is answered again
    /// later, ever more rarely, until it is settled.
    async fn due(&self, limit: i64) -> Result<Vec<Payment>, Error>;
}

/// Where refunds are kept.
#[async_trait]
pub trait RefundRepository: Send + Sync {
    /// Reserves the money of a refund. The same request again answers the same
    /// refund.
    ///
    /// Errors: `NotFound`, `Refund`, `KeyReused`, `UserErased`.
    async fn reserve(&self, new: &NewRefund) -> Result<Refund, Error>;

    /// Records the provider's answer, once; success changes the payment and the
    /// ledger.
    async fn settle(&self, refund: &Refund, outcome: RefundState) -> Result<(), Error>;

    /// A payment's refunds without an answer, the oldest first.
    async fn pending(&self, payment_id: Uuid) -> Result<Vec<Refund>, Error>;

    /// Refunds that it is time to ask the provider about.
    async fn due(&self, limit: i64) -> Result<Vec<Refund>, Error>;

    /// Forgets some idempotency keys of refunds that were settled that long ago;
    /// answers how many. The refunds stay.
    async fn forget_keys(&self, age: Duration, limit: i64) -> Result<u64, Error>;
}

/// Where the provider's news are kept before they are handled.
#[async_trait]
pub trait WebhookLog: Send + Sync {
    /// Keeps an event. True when it was handled before.
    async fn store(&self, provider: &str, webhook: &Webhook, body: &[u8]) -> Result<bool, Error>;

    /// Remembers that an event was handled, and how. What it said is forgotten: it may
    /// name a person.
    async fn finish(&self, provider: &str, event_id: &str, outcome: &str) -> Result<(), Error>;

    /// Ids and bodies of events that were kept long ago and not handled; each is
    /// answered again later, ever more rarely, until it is.
    async fn due(&self, provider: &str, limit: i64) -> Result<Vec<(String, Vec<u8>)>, Error>;

    /// Removes some events that were handled that long ago; answers how many.
    async fn purge(&self, age: Duration, limit: i64) -> Result<u64, Error>;
}

/// The provider's news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The provider's id of the event.
    pub event_id: String,
    /// For example `charge.authorized`.
    pub kind: String,
    /// Absent: not about a charge.
    pub news: Option<News>,
}

impl Webhook {
    /// Refuses an event's id that cannot be kept.
    ///
    /// Errors: `WebhookMalformed`.
    pub fn check_id(id: &str) -> Result<(), Error> {
        if id.is_empty() || id.len() > 200 || id.contains('\0') {
            return Err(Error::WebhookMalformed("its id is not usable".to_owned()));
        }
        Ok(())
    }
}

/// What is told about a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Absent: the provider's reference is not one of ours.
    pub payment_id: Option<Uuid>,
    pub charge: Charge,
}

/// Checks and reads a provider's webhooks.
pub trait WebhookReader: Send + Sync {
    /// The header with the signature, in lower case.
    fn header(&self) -> &'static str;

    /// Refuses a body that the provider has not signed lately.
    ///
    /// Errors: `WebhookSignature`.
    fn check(&self, signature: Option<&str>, body: &[u8], now: OffsetDateTime)
    -> Result<(), Error>;

    /// Errors: `WebhookMalformed`.
    fn parse(&self, body: &[u8]) -> Result<Webhook, Error>;
}

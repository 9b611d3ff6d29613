//! What the use cases need from elsewhere.

use async_trait::async_trait;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Error;
use crate::domain::{Charge, Event, Failure, NewRefund, Payment, Refund, RefundState, Token};

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
    /// Keeps a new payment unless its order has one or is closed.
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
    /// Errors: `NotFound`, `Refund`, `KeyReused`.
    async fn reserve(&self, new: &NewRefund) -> Result<Refund, Error>;

    /// Records the provider's answer, once; success changes the payment and the
    /// ledger.
    async fn settle(&self, refund: &Refund, outcome: RefundState) -> Result<(), Error>;

    /// A payment's refunds without an answer, the oldest first.
    async fn pending(&self, payment_id: Uuid) -> Result<Vec<Refund>, Error>;

    /// Refunds that it is time to ask the provider about.
    async fn due(&self, limit: i64) -> Result<Vec<Refund>, Error>;
}

/// Where the provider's news are kept before they are handled.
#[async_trait]
pub trait WebhookLog: Send + Sync {
    /// Keeps an event. True when it was handled before.
    async fn store(&self, provider: &str, webhook: &Webhook, body: &[u8]) -> Result<bool, Error>;

    /// Remembers that an event was handled, and how.
    async fn finish(&self, provider: &str, event_id: &str, outcome: &str) -> Result<(), Error>;
}

/// A payment provider. Every change carries an idempotency key made from the
/// payment and the operation, so that it may be asked for again.
#[async_trait]
pub trait Provider: Send + Sync {
    async fn authorize(&self, payment: &Payment, token: &Token) -> Result<Charge, ProviderError>;

    async fn capture(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError>;

    async fn void(&self, payment_id: Uuid, charge_id: &str) -> Result<Charge, ProviderError>;

    async fn refund(&self, refund: &Refund, charge_id: &str) -> Result<(), ProviderError>;

    /// The charge made for a payment, if the provider knows of one.
    async fn find_by_reference(&self, payment_id: Uuid) -> Result<Option<Charge>, ProviderError>;
}

/// Why a provider did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The means of payment was refused: a final answer.
    #[error("refused: {}", .why.reason())]
    Declined { why: Failure, charge_id: Option<String> },
    /// The charge's state does not allow it; nothing has changed.
    #[error("the charge does not allow it: {0}")]
    Refused(String),
    /// Whether it was done is not known.
    #[error("{0}")]
    Unknown(String),
}

impl From<ProviderError> for Error {
    /// For places where only an unknown outcome is left to expect.
    fn from(error: ProviderError) -> Self {
        Self::ProviderUnavailable(error.to_string())
    }
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

    /// Errors: `WebhookSignature`, `WebhookMalformed`.
    fn read(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: OffsetDateTime,
    ) -> Result<Webhook, Error>;
}

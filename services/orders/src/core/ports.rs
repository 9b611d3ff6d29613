//! What the use cases need from the world.

use std::time::Duration;

use async_trait::async_trait;
use time::OffsetDateTime;
use tracing::Span;
use types::Money;
use uuid::Uuid;

use super::Error;
use super::purge::Retention;
use crate::domain::{Direction, Kind, Order, OrderFact, OrderState, PaymentToken, Saga, Step};

/// Orders that are written down.
#[async_trait]
pub trait OrderRepository: Send + Sync {
    async fn find(&self, id: Uuid) -> Result<Option<Order>, Error>;

    /// Newest first, those older than `after`.
    async fn list(&self, user: Uuid, after: Option<Uuid>, limit: i64) -> Result<Vec<Order>, Error>;

    /// What was placed with this key before.
    async fn placed_with(&self, user: Uuid, key: &str) -> Result<Option<Placed>, Error>;
}

/// Sagas that are written down. All times are told by the database's clock, so
/// that processes need not agree on theirs.
#[async_trait]
pub trait SagaStore: Send + Sync {
    /// Writes down a new order with its saga, its key and the fact that it was
    /// placed: all or nothing. `None`: the key is taken by a twin.
    ///
    /// Errors: `UserErased`, also when that happens at the same moment.
    async fn place(&self, saga: Saga, key: &Key) -> Result<Option<Leased>, Error>;

    /// Takes over sagas that are due and that nobody drives.
    async fn claim_due(&self, limit: i64) -> Result<Vec<Leased>, Error>;

    /// Turns an order's saga backward because the customer wants it so, and takes
    /// it over. `None`: somebody drives it now.
    async fn cancel(&self, order: Uuid, allowance: Duration) -> Result<Option<Leased>, Error>;

    /// Writes down where a saga stands, with its order and the fact where they
    /// changed: all or nothing. Keeps the lease while the saga runs and renews it.
    /// False: the lease was lost, and nothing was written.
    async fn save(&self, leased: &mut Leased, fact: Option<OrderFact>) -> Result<bool, Error>;

    /// True until the order's saga has ended.
    async fn is_running(&self, order: Uuid) -> Result<bool, Error>;
}

/// What operators see of sagas, and do with them.
#[async_trait]
pub trait SagaDesk: Send + Sync {
    async fn count(&self) -> Result<Census, Error>;

    /// Sagas that have not ended, oldest first, those younger than `after`.
    async fn list(
        &self,
        filter: Filter,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Overview>, Error>;

    /// A saga, ended or not, with what operators did with it.
    async fn find(&self, order: Uuid) -> Result<Option<Overview>, Error>;

    /// Makes a saga due now, as if it had not failed before, and writes down who
    /// wants it so. `None`: somebody drives it now.
    async fn retry(&self, order: Uuid, deed: &Deed) -> Result<Option<Overview>, Error>;

    /// Turns a saga backward, writes down who wants it so, and takes it over.
    /// `None`: somebody drives it now.
    async fn compensate(
        &self,
        order: Uuid,
        allowance: Duration,
        deed: &Deed,
    ) -> Result<Option<Leased>, Error>;
}

/// What may be forgotten.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Deletes what is older than that; answers how many sagas and keys.
    async fn forget(&self, retention: Retention) -> Result<(u64, u64), Error>;

    /// Deletes the tombstones of those who were erased long ago; answers how many.
    async fn forget_erased(&self) -> Result<u64, Error>;
}

/// What is known of people.
#[async_trait]
pub trait People: Send + Sync {
    /// Cuts the user's orders that have ended off from the user, and takes no new ones
    /// from now on. True when no order is left that has not ended.
    async fn erase(&self, user: Uuid) -> Result<bool, Error>;

    /// What is kept about a user beside orders, at most `limit` of each.
    async fn traces(&self, user: Uuid, limit: i64) -> Result<Traces, Error>;
}

/// The carts of customers.
#[async_trait]
pub trait Carts: Send + Sync {
    async fn read(&self, user: Uuid) -> Result<Vec<CartLine>, Error>;

    /// Takes what was ordered out of the cart, once per order.
    async fn settle(&self, order: &Order) -> Attempt;
}

/// The catalogue.
#[async_trait]
pub trait Prices: Send + Sync {
    /// Current offers, in any order; what is not on sale is left out.
    async fn offers(&self, products: Vec<Uuid>) -> Result<Vec<Offer>, Error>;
}

/// Stock. Every method has its effect once per order.
#[async_trait]
pub trait Stock: Send + Sync {
    async fn reserve(&self, order: &Order) -> Attempt;

    /// Turns the reservation into a sale.
    async fn commit(&self, order: Uuid) -> Attempt;

    /// Puts stock back, reserved or sold; a later `reserve` is refused.
    async fn release(&self, order: Uuid) -> Attempt;
}

/// Payments. Every method has its effect once per order.
#[async_trait]
pub trait Payments: Send + Sync {
    /// Sets the money aside; answers the payment.
    async fn authorize(&self, order: &Order, token: &PaymentToken) -> Attempt<Uuid>;

    /// Takes the money.
    async fn capture(&self, order: Uuid) -> Attempt;

    /// Gives the money back, set aside or taken; a later `authorize` is refused.
    async fn reverse(&self, order: Uuid) -> Attempt;
}

/// What came of asking another service for an effect.
pub type Attempt<T = ()> = Result<T, Setback>;

/// Why an effect is not known to have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setback {
    /// Refused, by its stable reason; it did not happen.
    Refused(String),
    /// It may have happened or not.
    Unknown(String),
}

/// The lease on a saga: who holds it is the only one to write.
#[derive(Debug, Clone)]
pub struct Leased {
    pub saga: Saga,
    /// Made anew for every lease, so that no two drivers share one.
    pub owner: Uuid,
    /// The write that the next one follows.
    pub version: i64,
    /// The order's version as it is written down.
    pub order_version: i64,
    /// The request that it belongs to, which may have ended long ago.
    pub span: Span,
}

/// A caller's key for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub text: String,
    /// SHA-256 of the request.
    pub fingerprint: [u8; 32],
}

/// What was placed with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub order_id: Uuid,
    /// SHA-256 of the request.
    pub fingerprint: Vec<u8>,
}

/// What is kept about a user beside orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// The text of each key, its order, and when it came.
    pub keys: Vec<(String, Uuid, OffsetDateTime)>,
    /// What the user did as an operator, and to what.
    pub deeds: Vec<(Done, String)>,
}

/// Pieces of a product in a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartLine {
    pub product_id: Uuid,
    pub quantity: i32,
}

/// A product on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub product_id: Uuid,
    pub name: String,
    /// For one piece.
    pub price: Money,
}

/// Who acts on a saga, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The user of the operator's token.
    pub actor: Uuid,
    /// In the operator's words.
    pub why: String,
}

/// Which of the sagas that have not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    All,
    /// Somebody drives them now.
    Driven,
    /// Past their deadline.
    Overdue,
}

/// A saga as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    pub order_id: Uuid,
    pub order_state: OrderState,
    pub kind: Kind,
    pub direction: Direction,
    pub step: Step,
    pub ended: bool,
    /// Why it goes backward.
    pub reason: Option<String>,
    /// Failed tries of the current step.
    pub attempts: i32,
    pub last_error: Option<String>,
    pub started_at: OffsetDateTime,
    pub deadline_at: OffsetDateTime,
    pub overdue: bool,
    /// Absent when it has ended.
    pub next_run_at: Option<OffsetDateTime>,
    /// Until when somebody drives it; absent when nobody does.
    pub leased_until: Option<OffsetDateTime>,
    /// Newest first.
    pub deeds: Vec<Done>,
}

/// What an operator did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    pub at: OffsetDateTime,
    pub deed: Deed,
    /// `<thing>.<verb>`.
    pub action: String,
    pub outcome: String,
}

/// Sagas that run now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Census {
    /// Direction, step and how many stand there.
    pub running: Vec<(String, String, i64)>,
    /// Past their deadline, whether somebody drives them or not.
    pub overdue: i64,
    /// For how long the oldest has been running.
    pub oldest_seconds: f64,
}

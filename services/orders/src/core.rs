//! The use cases of orders.

pub mod cancel;
pub mod changes;
pub mod drill;
pub mod driver;
pub mod error;
pub mod figures;
pub mod operate;
pub mod people;
pub mod place;
pub mod ports;
pub mod purge;
pub mod watch;
pub mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use error::Error;

use crate::core::changes::Changes;
use crate::core::driver::{Driver, Driving};
use crate::core::ports::{Carts, OrderRepository, People, Prices, SagaDesk, SagaStore};
use crate::domain::Order;

/// How often somebody who waits for a saga looks at it when nobody tells.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Everything that can be done with orders.
pub struct Orders {
    pub(crate) repository: Arc<dyn OrderRepository>,
    pub(crate) sagas: Arc<dyn SagaStore>,
    pub(crate) desk: Arc<dyn SagaDesk>,
    pub(crate) people: Arc<dyn People>,
    pub(crate) carts: Arc<dyn Carts>,
    pub(crate) prices: Arc<dyn Prices>,
    pub(crate) driver: Arc<Driver>,
    pub(crate) changes: Arc<Changes>,
}

impl Orders {
    /// An order of the user. Another's is as good as none.
    pub async fn get(&self, user: Uuid, id: Uuid) -> Result<Order, Error> {
        let order = self.repository.find(id).await?;
        order.filter(|order| order.user_id == user).ok_or(Error::OrderNotFound)
    }

    /// The user's orders after (older than) `after`, newest first, at most `limit`.
    pub async fn list(
        &self,
        user: Uuid,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Order>, Error> {
        self.repository.list(user, after, limit).await
    }

    /// Cancelled when the process is asked to end: streams end then.
    pub fn leaving(&self) -> CancellationToken {
        self.driver.leaving().clone()
    }

    /// The order when its driver has ended, or as far as it got until then.
    async fn follow(&self, driving: Driving, id: Uuid, until: Instant) -> Result<Order, Error> {
        match tokio::time::timeout_at(until, driving.ended()).await {
            Ok(Some(order)) => Ok(order),
            Ok(None) | Err(_) => self.settled(id, until).await,
        }
    }

    /// The order when its saga has ended, whoever drives it, or as far as it got
    /// until then.
    async fn settled(&self, id: Uuid, until: Instant) -> Result<Order, Error> {
        let mut changes = self.changes.subscribe(id);
        loop {
            let running = self.sagas.is_running(id).await?;
            if !running || Instant::now() >= until || self.driver.leaving().is_cancelled() {
                return self.repository.find(id).await?.ok_or(Error::OrderNotFound);
            }
            self.wait(&mut changes, until).await;
        }
    }

    /// Waits until there is a reason to look again.
    async fn wait(&self, changes: &mut changes::Subscription, until: Instant) {
        let again = until.min(Instant::now() + LOOK_AGAIN);
        tokio::select! {
            () = changes.changed() => {}
            () = tokio::time::sleep_until(again) => {}
        }
    }
}

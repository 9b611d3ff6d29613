//! Cancelling an order.

use tokio::time::Instant;
use uuid::Uuid;

use super::{Error, Orders};
use crate::domain::{Order, OrderState};

impl Orders {
    /// Cancels an order: money and stock go back. Answers the order as far as it
    /// got until `until`; what is left goes on by itself.
    ///
    /// Possible in checkout as well as after it, settled or not. While somebody
    /// drives the order's saga the cancellation waits: it never works beside it.
    pub async fn cancel(&self, user: Uuid, id: Uuid, until: Instant) -> Result<Order, Error> {
        let mut changes = self.changes.subscribe(id);
        loop {
            let order = self.get(user, id).await?;
            match order.state {
                OrderState::Cancelled => return Ok(order),
                OrderState::Cancelling => return self.settled(id, until).await,
                OrderState::Failed | OrderState::Shipped | OrderState::Delivered => {
                    return Err(Error::NotCancellable(order.state));
                }
                OrderState::Pending | OrderState::Confirmed => {}
            }
            let allowance = self.driver.settings().checkout_allowance;
            if let Some(leased) = self.sagas.cancel(id, allowance).await? {
                return self.follow(self.driver.start(leased), id, until).await;
            }
            if Instant::now() >= until || self.driver.leaving().is_cancelled() {
                return Err(Error::Busy);
            }
            self.wait(&mut changes, until).await;
        }
    }
}

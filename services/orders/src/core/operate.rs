//! What operators do with sagas.

use tokio::time::Instant;
use uuid::Uuid;

use super::ports::{Deed, Filter, Overview};
use super::{Error, Orders};

impl Orders {
    /// Sagas that have not ended, oldest first, those younger than `after`, at most
    /// `limit`.
    pub async fn sagas(
        &self,
        filter: Filter,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Overview>, Error> {
        self.desk.list(filter, after, limit).await
    }

    /// The saga of an order.
    pub async fn saga(&self, order: Uuid) -> Result<Overview, Error> {
        self.desk.find(order).await?.ok_or(Error::SagaNotFound)
    }

    /// Lets a saga that waits for another try run now. While somebody drives it
    /// this waits: the try that goes on may be the one that is wanted.
    pub async fn retry_saga(
        &self,
        order: Uuid,
        deed: Deed,
        until: Instant,
    ) -> Result<Overview, Error> {
        let mut changes = self.changes.subscribe(order);
        loop {
            if let Some(due) = self.desk.retry(order, &deed).await? {
                return Ok(due);
            }
            if Instant::now() >= until || self.driver.leaving().is_cancelled() {
                return Err(Error::SagaBusy);
            }
            self.wait(&mut changes, until).await;
        }
    }

    /// Gives a saga up: money and stock go back. Answers the saga as far as it got
    /// until `until`; what is left goes on by itself.
    ///
    /// While somebody drives it this waits: it never works beside it.
    pub async fn compensate_saga(
        &self,
        order: Uuid,
        deed: Deed,
        until: Instant,
    ) -> Result<Overview, Error> {
        let mut changes = self.changes.subscribe(order);
        let allowance = self.driver.settings().checkout_allowance;
        loop {
            if let Some(leased) = self.desk.compensate(order, allowance, &deed).await? {
                self.follow(self.driver.start(leased), order, until).await?;
                return self.saga(order).await;
            }
            if Instant::now() >= until || self.driver.leaving().is_cancelled() {
                return Err(Error::SagaBusy);
            }
            self.wait(&mut changes, until).await;
        }
    }
}

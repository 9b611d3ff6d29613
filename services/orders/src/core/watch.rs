//! Watching an order.

use std::sync::Arc;

use uuid::Uuid;

use super::changes::Subscription;
use super::ports::OrderRepository;
use super::{Error, Orders};
use crate::domain::Order;

/// An order now and after every change.
pub struct Watch {
    repository: Arc<dyn OrderRepository>,
    changes: Subscription,
    id: Uuid,
    /// The first answer, until it is given.
    first: Option<Order>,
    /// The version that was answered last.
    seen: i64,
    ended: bool,
}

impl Orders {
    /// Watches an order of the user.
    pub async fn watch(&self, user: Uuid, id: Uuid) -> Result<Watch, Error> {
        let changes = self.changes.subscribe(id);
        let first = self.get(user, id).await?;
        let repository = Arc::clone(&self.repository);
        let (seen, ended) = (first.version, first.state.is_final());
        Ok(Watch { repository, changes, id, first: Some(first), seen, ended })
    }
}

impl Watch {
    /// The order now, then after the next change; nothing after the final state.
    /// Changes that come faster than they are read merge into one.
    pub async fn next(&mut self) -> Result<Option<Order>, Error> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.ended {
            return Ok(None);
        }
        loop {
            self.changes.changed().await;
            let order = self.repository.find(self.id).await?.ok_or(Error::OrderNotFound)?;
            if order.version > self.seen {
                (self.seen, self.ended) = (order.version, order.state.is_final());
                return Ok(Some(order));
            }
        }
    }
}

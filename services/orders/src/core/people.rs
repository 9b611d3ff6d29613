//! What is known of people, for them to see and for erasure.

use uuid::Uuid;

use super::ports::Traces;
use super::{Error, Orders};
use crate::domain::Order;

/// Orders read at a time for an export.
const PAGE: i64 = 100;

/// The most of everything beside orders in an export.
const TRACES: i64 = 1_000;

impl Orders {
    /// Erases a user. True when nothing is left of the person; otherwise an order has
    /// to end first.
    pub async fn erase(&self, user: Uuid) -> Result<bool, Error> {
        self.people.erase(user).await
    }

    /// The user's next orders for an export, newest first, those older than `after`;
    /// none when there are no more.
    pub async fn page_of(&self, user: Uuid, after: Option<Uuid>) -> Result<Vec<Order>, Error> {
        self.repository.list(user, after, PAGE).await
    }

    /// What else is kept about the user.
    pub async fn traces(&self, user: Uuid) -> Result<Traces, Error> {
        self.people.traces(user, TRACES).await
    }
}

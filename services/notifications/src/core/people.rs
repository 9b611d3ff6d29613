//! What is known of people, for them to see and for erasure.

use std::sync::Arc;

use uuid::Uuid;

use super::Error;
use super::ports::{Kept, Notifications, People, Told};

/// Notifications read at a time for an export.
const PAGE: i64 = 100;

/// The most deeds in an export.
const DEEDS: i64 = 1_000;

/// Shows people what is known of them, and forgets them.
pub struct Registry {
    people: Arc<dyn People>,
    notifications: Arc<dyn Notifications>,
}

impl Registry {
    pub fn new(people: Arc<dyn People>, notifications: Arc<dyn Notifications>) -> Self {
        Self { people, notifications }
    }

    /// What is kept about a user beside notifications.
    pub async fn kept(&self, user_id: Uuid) -> Result<Kept, Error> {
        self.people.kept(user_id, DEEDS).await
    }

    /// The user's next notifications, newest first, those older than `before`; none when
    /// there are no more.
    pub async fn page_of(&self, user_id: Uuid, before: Option<Uuid>) -> Result<Vec<Told>, Error> {
        self.notifications.list(user_id, before, PAGE).await
    }

    /// Erases a user. True when nothing is left of the person; otherwise an e-mail is
    /// still on its way.
    pub async fn erase(&self, user_id: Uuid) -> Result<bool, Error> {
        self.people.erase(user_id, types::now()).await
    }

    /// Removes what nobody will ever come for.
    pub async fn forget_old(&self) -> Result<(), Error> {
        self.people.forget_old().await
    }
}

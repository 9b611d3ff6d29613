//! The use cases.

pub mod error;
pub mod people;
pub mod ports;
pub mod postman;

use std::sync::Arc;

pub use error::Error;
pub use people::Registry;
use ports::{Effects, Notifications, Texts, Told};
pub use postman::{Postman, Round};
use types::PageSize;
use uuid::Uuid;

use crate::domain::{Contact, Notification, Occasion, Preferences};

/// Tells users what happened, and what they were told.
pub struct Notifier {
    notifications: Arc<dyn Notifications>,
    texts: Arc<dyn Texts>,
}

impl Notifier {
    pub fn new(notifications: Arc<dyn Notifications>, texts: Arc<dyn Texts>) -> Self {
        Self { notifications, texts }
    }

    /// Keeps where mail for a new user goes, and welcomes them.
    pub async fn welcome(&self, effects: &mut dyn Effects, contact: Contact) -> Result<(), Error> {
        effects.keep_contact(&contact).await?;
        self.tell(effects, contact.user_id, contact.user_id, &Occasion::Registered).await
    }

    /// Tells a user what happened, once for each kind of occasion and `about_id`.
    pub async fn tell(
        &self,
        effects: &mut dyn Effects,
        user_id: Uuid,
        about_id: Uuid,
        occasion: &Occasion,
    ) -> Result<(), Error> {
        let notification = Notification {
            id: Uuid::now_v7(),
            user_id,
            kind: occasion.kind(),
            text: self.texts.notification(occasion)?,
            order_id: occasion.order_id(),
            created_at: types::now(),
        };
        if !effects.keep_notification(&notification, about_id).await? {
            let kind = notification.kind.name();
            tracing::info!(notification.kind = kind, about.id = %about_id, "told already, or the user was erased");
        }
        Ok(())
    }

    /// A page of a user's notifications, newest first, and one more where another
    /// page follows.
    pub async fn list(
        &self,
        user_id: Uuid,
        size: PageSize,
        before: Option<Uuid>,
    ) -> Result<Vec<Told>, Error> {
        self.notifications.list(user_id, before, size.probe()).await
    }

    /// How a user wants to be told.
    pub async fn preferences(&self, user_id: Uuid) -> Result<Preferences, Error> {
        Ok(self.notifications.preferences(user_id).await?.unwrap_or_default())
    }

    /// Changes how a user wants to be told.
    pub async fn set_preferences(
        &self,
        user_id: Uuid,
        preferences: Preferences,
    ) -> Result<Preferences, Error> {
        self.notifications.set_preferences(user_id, preferences, types::now()).await?;
        Ok(preferences)
    }
}

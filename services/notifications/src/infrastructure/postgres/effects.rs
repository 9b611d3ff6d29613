//! What facts change, in the transaction that marks them as consumed.

use async_trait::async_trait;
use sqlx::PgConnection;
use uuid::Uuid;

use super::wakeups;
use crate::core::Error;
use crate::core::ports::Effects;
use crate::domain::{Contact, DeliveryState, Notification, Text};

/// Effects within somebody else's transaction.
pub struct PostgresEffects<'t> {
    connection: &'t mut PgConnection,
}

impl<'t> PostgresEffects<'t> {
    pub fn within(connection: &'t mut PgConnection) -> Self {
        Self { connection }
    }

    async fn insert(
        &mut self,
        notification: &Notification,
        about_id: Uuid,
    ) -> Result<bool, sqlx::Error> {
        let Notification { id, user_id, kind, text, order_id, created_at } = notification;
        // This table would catch by itself what the inbox misses.
        #[cfg(feature = "sabotage")]
        let about_id = if events::sabotage::skips_inbox() { *id } else { about_id };
        let Text { subject, body } = text;
        let inserted = sqlx::query(
            "insert into notifications
                 (id, user_id, kind, about_id, subject, body, order_id, created_at)
             select $1, $2, $3, $4, $5, $6, $7, $8
             where not exists (select from erased_users where user_id = $2)
             on conflict on constraint notifications_kind_about_key do nothing",
        )
        .bind(id)
        .bind(user_id)
        .bind(kind.name())
        .bind(about_id)
        .bind(subject)
        .bind(body)
        .bind(order_id)
        .bind(created_at)
        .execute(&mut *self.connection)
        .await?;
        Ok(inserted.rows_affected() == 1)
    }

    async fn insert_delivery(&mut self, notification: &Notification) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into deliveries
                 (notification_id, mandatory, state, next_attempt_at, updated_at, traceparent)
             values ($1, $6,
                 case when $6 or coalesce((select email from preferences where user_id = $2), true)
                     then $3 else $4 end, $5, $5, $7)",
        )
        .bind(notification.id)
        .bind(notification.user_id)
        .bind(DeliveryState::Pending.name())
        .bind(DeliveryState::Suppressed.name())
        .bind(notification.created_at)
        .bind(notification.kind.is_mandatory())
        .bind(telemetry::traceparent())
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}

#[async_trait]
impl Effects for PostgresEffects<'_> {
    async fn keep_contact(&mut self, contact: &Contact) -> Result<(), Error> {
        let Contact { user_id, email, display_name } = contact;
        personal::hold_off_erasure(self.connection, *user_id).await?;
        sqlx::query(
            "insert into contacts (user_id, email, display_name) select $1, $2, $3
             where not exists (select from erased_users where user_id = $1)
             on conflict on constraint contacts_pkey
             do update set email = excluded.email, display_name = excluded.display_name",
        )
        .bind(user_id)
        .bind(email)
        .bind(display_name)
        .execute(&mut *self.connection)
        .await?;
        Ok(wakeups::announce(self.connection).await?)
    }

    async fn keep_notification(
        &mut self,
        notification: &Notification,
        about_id: Uuid,
    ) -> Result<bool, Error> {
        personal::hold_off_erasure(self.connection, notification.user_id).await?;
        if !self.insert(notification, about_id).await? {
            return Ok(false);
        }
        self.insert_delivery(notification).await?;
        wakeups::announce(self.connection).await?;
        Ok(true)
    }
}

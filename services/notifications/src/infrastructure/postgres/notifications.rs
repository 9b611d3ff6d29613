//! What users ask for.

use async_trait::async_trait;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Notifications, Told};
use crate::domain::{DeliveryState, Kind, Notification, Preferences, Text};

/// Notifications and preferences in PostgreSQL.
pub struct PostgresNotifications {
    pool: PgPool,
}

impl PostgresNotifications {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[derive(sqlx::FromRow)]
struct ToldRow {
    id: Uuid,
    user_id: Uuid,
    kind: String,
    subject: String,
    body: String,
    order_id: Option<Uuid>,
    created_at: OffsetDateTime,
    state: String,
}

impl TryFrom<ToldRow> for Told {
    type Error = Error;

    fn try_from(row: ToldRow) -> Result<Self, Error> {
        let ToldRow { id, user_id, kind, subject, body, order_id, created_at, state } = row;
        let unknown = |name: &str| Error::internal(format!("`{name}` is stored but not known"));
        let kind = Kind::from_name(&kind).ok_or_else(|| unknown(&kind))?;
        let email = DeliveryState::from_name(&state).ok_or_else(|| unknown(&state))?;
        let text = Text { subject, body };
        Ok(Self {
            notification: Notification { id, user_id, kind, text, order_id, created_at },
            email,
        })
    }
}

#[async_trait]
impl Notifications for PostgresNotifications {
    async fn list(
        &self,
        user_id: Uuid,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Told>, Error> {
        let rows = sqlx::query_as::<_, ToldRow>(
            "select n.id, n.user_id, n.kind, n.subject, n.body, n.order_id, n.created_at, d.state
             from notifications n join deliveries d on d.notification_id = n.id
             where n.user_id = $1 and ($2::uuid is null or n.id < $2)
             order by n.id desc limit $3",
        )
        .bind(user_id)
        .bind(before)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(Told::try_from).collect()
    }

    async fn preferences(&self, user_id: Uuid) -> Result<Option<Preferences>, Error> {
        let email = sqlx::query_scalar("select email from preferences where user_id = $1")
            .bind(user_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(email.map(|email| Preferences { email }))
    }

    async fn set_preferences(
        &self,
        user_id: Uuid,
        preferences: Preferences,
        now: OffsetDateTime,
    ) -> Result<(), Error> {
        let Preferences { email } = preferences;
        let mut tx = postgres::begin(&self.pool).await?;
        personal::hold_off_erasure(&mut tx, user_id).await?;
        let kept = sqlx::query(
            "insert into preferences (user_id, email) select $1, $2
             where not exists (select from erased_users where user_id = $1)
             on conflict on constraint preferences_pkey do update set email = excluded.email",
        )
        .bind(user_id)
        .bind(email)
        .execute(&mut *tx)
        .await?;
        if kept.rows_affected() == 0 {
            return Err(Error::UserErased);
        }
        if !email {
            // Not what a worker is handing over now: that one decides what it comes
            // to. Whatever slips in meanwhile is suppressed when a worker takes it.
            sqlx::query(
                "update deliveries d set state = $2, updated_at = $3
                 from notifications n
                 where n.id = d.notification_id and n.user_id = $1 and d.state = $4
                     and not d.mandatory
                     and (d.leased_until is null or d.leased_until <= $3)",
            )
            .bind(user_id)
            .bind(DeliveryState::Suppressed.name())
            .bind(now)
            .bind(DeliveryState::Pending.name())
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }
}

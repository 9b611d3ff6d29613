//! What providers have told us.

use async_trait::async_trait;
use sqlx::PgPool;

use crate::core::Error;
use crate::core::ports::{Webhook, WebhookLog};

/// Webhook events in PostgreSQL.
pub struct PostgresWebhooks {
    pool: PgPool,
}

impl PostgresWebhooks {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl WebhookLog for PostgresWebhooks {
    async fn store(&self, provider: &str, webhook: &Webhook, body: &[u8]) -> Result<bool, Error> {
        let stored = sqlx::query(
            "insert into webhook_events (provider, event_id, type, body) values ($1, $2, $3, $4)
             on conflict on constraint webhook_events_pkey do nothing",
        )
        .bind(provider)
        .bind(&webhook.event_id)
        .bind(&webhook.kind)
        .bind(body)
        .execute(&self.pool)
        .await?;
        if stored.rows_affected() == 1 {
            return Ok(false);
        }
        // Seen before, but perhaps we died while handling it.
        let handled = sqlx::query_scalar(
            "select handled_at is not null from webhook_events
             where provider = $1 and event_id = $2",
        )
        .bind(provider)
        .bind(&webhook.event_id)
        .fetch_one(&self.pool)
        .await?;
        Ok(handled)
    }

    async fn finish(&self, provider: &str, event_id: &str, outcome: &str) -> Result<(), Error> {
        sqlx::query(
            "update webhook_events set handled_at = now(), outcome = $3
             where provider = $1 and event_id = $2",
        )
        .bind(provider)
        .bind(event_id)
        .bind(outcome)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

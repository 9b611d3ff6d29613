//! What providers have told us.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;

use super::seconds;
use crate::core::Error;
use crate::core::ports::{Webhook, WebhookLog};

/// Webhook events in PostgreSQL.
pub struct PostgresWebhooks {
    pool: PgPool,
    /// The age at which an event that was not handled is handled again.
    check_after: Duration,
}

impl PostgresWebhooks {
    pub fn new(pool: PgPool, check_after: Duration) -> Self {
        Self { pool, check_after }
    }
}

#[async_trait]
impl WebhookLog for PostgresWebhooks {
    async fn store(&self, provider: &str, webhook: &Webhook, body: &[u8]) -> Result<bool, Error> {
        let stored = sqlx::query(
            "insert into webhook_events (provider, event_id, type, body, check_at, payment_id)
             values ($1, $2, $3, $4, now() + make_interval(secs => $5), $6)
             on conflict on constraint webhook_events_pkey do nothing",
        )
        .bind(provider)
        .bind(&webhook.event_id)
        .bind(&webhook.kind)
        .bind(body)
        .bind(seconds(self.check_after))
        .bind(webhook.news.as_ref().and_then(|news| news.payment_id))
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
            "update webhook_events set handled_at = now(), outcome = $3, body = ''
             where provider = $1 and event_id = $2",
        )
        .bind(provider)
        .bind(event_id)
        .bind(outcome)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn due(&self, provider: &str, limit: i64) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let rows = sqlx::query_as(
            "update webhook_events
             set check_at = now() + least(
                 greatest(now() - received_at, make_interval(secs => $2)), interval '1 hour')
             where provider = $1 and event_id in (
                 select event_id from webhook_events
                 where provider = $1 and handled_at is null and check_at <= now()
                 order by check_at limit $3 for update skip locked
             )
             returning event_id, body",
        )
        .bind(provider)
        .bind(seconds(self.check_after))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows)
    }

    async fn purge(&self, age: Duration, limit: i64) -> Result<u64, Error> {
        let purged = sqlx::query(
            "delete from webhook_events where (provider, event_id) in (
                 select provider, event_id from webhook_events
                 where handled_at < now() - make_interval(secs => $1)
                 order by handled_at limit $2 for update skip locked
             )",
        )
        .bind(seconds(age))
        .bind(limit)
        .execute(&self.pool)
        .await?;
        Ok(purged.rows_affected())
    }
}

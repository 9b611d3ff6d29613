//! Carries webhooks to the client until it accepts them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::join_all;
use runtime::Shutdown;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::config::WebhookConfig;
use crate::signature;

/// A receiver that does not answer within this time has not accepted.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Longer than a try takes: a try that died with its process is made again.
const LEASE_SECONDS: f64 = 15.0;
/// The pause after the first failed try; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How many are carried at once.
const BATCH: i64 = 32;
/// The table is looked at this often when nobody rings: other processes write too.
const IDLE: Duration = Duration::from_secs(1);

/// Tells the courier that there is something to carry.
#[derive(Clone, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.notify_one();
    }
}

/// The worker.
pub struct Courier {
    pool: PgPool,
    client: reqwest::Client,
    url: String,
    secret: SecretString,
    max_age: Duration,
    bell: Bell,
}

#[derive(sqlx::FromRow)]
struct Webhook {
    id: Uuid,
    body: String,
    attempts: i32,
    created_at: OffsetDateTime,
}

impl Courier {
    pub fn new(pool: PgPool, config: &WebhookConfig, bell: Bell) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(ANSWER_WITHIN)
            .build()
            .context("no HTTP client for webhooks")?;
        Ok(Self {
            pool,
            client,
            url: config.webhook_url.clone(),
            secret: config.webhook_secret.clone(),
            max_age: Duration::from_secs(config.webhook_max_age_seconds),
            bell,
        })
    }

    /// Carries until shutdown. A database failure is a pause, not an end.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        loop {
            let pause = self.round().await.unwrap_or_else(|error| {
                tracing::warn!(error = %error, "webhooks wait for the database");
                IDLE
            });
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = self.bell.0.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Carries what is due, and answers how long nothing will be.
    async fn round(&self) -> Result<Duration, sqlx::Error> {
        let due: Vec<Webhook> = sqlx::query_as(
            "update webhooks
             set attempts = attempts + 1, due_at = now() + make_interval(secs => $1)
             where id in (
                 select id from webhooks where due_at <= now()
                 order by due_at limit $2 for update skip locked
             )
             returning id, body, attempts, created_at",
        )
        .bind(LEASE_SECONDS)
        .bind(BATCH)
        .fetch_all(&self.pool)
        .await?;
        for done in join_all(due.iter().map(|webhook| self.carry(webhook))).await {
            done?;
        }
        let next: Option<OffsetDateTime> =
            sqlx::query_scalar("select min(due_at) from webhooks where due_at is not null")
                .fetch_one(&self.pool)
                .await?;
        let wait = next.map_or(IDLE, |at| (at - types::now()).try_into().unwrap_or(Duration::ZERO));
        Ok(wait.min(IDLE))
    }

    async fn carry(&self, webhook: &Webhook) -> Result<(), sqlx::Error> {
        if self.post(webhook).await {
            count("delivered");
            return sqlx::query(
                "update webhooks set due_at = null, delivered_at = now() where id = $1",
            )
            .bind(webhook.id)
            .execute(&self.pool)
            .await
            .map(drop);
        }
        let now = types::now();
        let gives_up = now - webhook.created_at > self.max_age;
        count(if gives_up { "given_up" } else { "failed" });
        if gives_up {
            tracing::warn!(webhook.id = %webhook.id, "given up: nobody accepted it in time");
        }
        let next = (!gives_up).then(|| now + pause(webhook.attempts));
        sqlx::query("update webhooks set due_at = $2 where id = $1")
            .bind(webhook.id)
            .bind(next)
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// True when the receiver accepts. Signed anew at every try: receivers refuse
    /// old signatures.
    async fn post(&self, webhook: &Webhook) -> bool {
        let seconds = types::now().unix_timestamp();
        let secret = self.secret.expose_secret();
        let signed = signature::sign(secret, seconds, webhook.body.as_bytes());
        let answer = self
            .client
            .post(&self.url)
            .header("content-type", "application/json")
            .header(signature::HEADER, signed)
            .body(webhook.body.clone())
            .send()
            .await;
        match answer {
            Ok(answer) if answer.status().is_success() => true,
            Ok(answer) => {
                let status = answer.status().as_u16();
                tracing::info!(webhook.id = %webhook.id, http.status = status, "not accepted");
                false
            }
            Err(error) => {
                tracing::info!(webhook.id = %webhook.id, error = %error, "not accepted");
                false
            }
        }
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("sandbox_webhooks_total", "outcome" => outcome).increment(1);
}

fn pause(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts - 1).unwrap_or_default().min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_and_is_bounded() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(3), FIRST_PAUSE * 4);
        assert_eq!(pause(1_000), LONGEST_PAUSE);
    }
}

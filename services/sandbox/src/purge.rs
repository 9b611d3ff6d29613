//! Removes answers that no repeated request can ask for any more, and webhooks that
//! are done. Charges and refunds are the books, and stay.

use std::time::Duration;

use anyhow::Result;
use runtime::Shutdown;
use sqlx::PgPool;

use crate::config::RetentionConfig;

/// Rows removed by one statement: short enough that nobody waits for it.
const BATCH: i64 = 1_000;

/// What is removed, and from where.
const WHAT: [(&str, &str); 2] = [
    (
        "answer",
        "delete from answers where key in (
             select key from answers where created_at < now() - make_interval(secs => $1)
             order by created_at limit $2 for update skip locked
         )",
    ),
    (
        "webhook",
        "delete from webhooks where id in (
             select id from webhooks
             where due_at is null and created_at < now() - make_interval(secs => $1)
             order by created_at limit $2 for update skip locked
         )",
    ),
];

/// Removes until shutdown; a failed round is made up for by the next.
pub async fn run(pool: PgPool, config: RetentionConfig, shutdown: Shutdown) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(config.purge_every_seconds));
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        if let Err(error) = round(&pool, config.kept_seconds(), &shutdown).await {
            tracing::warn!(error = %error, "not purged");
        }
    }
}

async fn round(pool: &PgPool, age: [f64; 2], shutdown: &Shutdown) -> Result<(), sqlx::Error> {
    for ((what, statement), age) in WHAT.into_iter().zip(age) {
        loop {
            let query = sqlx::query(statement).bind(age).bind(BATCH);
            let removed = query.execute(pool).await?.rows_affected();
            metrics::counter!("sandbox_purged_total", "what" => what).increment(removed);
            if removed == 0 || shutdown.is_cancelled() {
                break;
            }
        }
    }
    Ok(())
}

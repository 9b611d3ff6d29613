//! Waits until the platform has come to rest.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::PgPool;

use super::Stores;

/// Every order has its end this long after everything was made good.
const ORDERS: Duration = Duration::from_secs(60);
/// Mails and facts may take longer: their pauses have grown.
const REST: Duration = Duration::from_secs(120);

/// How long it took from when everything was made good.
pub struct Settled {
    /// Until every order had its end.
    pub orders: Option<Duration>,
    /// Until every fact had its effect and every mail was on its way.
    pub rest: Option<Duration>,
}

/// Questions that count what is still on its way.
const OPEN_SAGAS: &str = "select count(*) from sagas where status <> 'done'";
const UNSENT: &str = "select count(*) from outbox where sent_at is null";
const UNSETTLED: &str = "select (select count(*) from payments where check_at is not null)
                              + (select count(*) from refunds where check_at is not null)";
const UNDELIVERED: &str = "select count(*) from deliveries where state = 'pending'";

/// Waits until nothing is on its way any more, each only so long.
pub async fn settle(stores: &Stores, since: Instant) -> Result<Settled> {
    let orders = until(since, ORDERS, async || open(&stores.orders, OPEN_SAGAS).await).await;
    let rest = until(since, REST, async || {
        let mut left = open(&stores.payments, UNSETTLED).await?;
        for (_, pool) in stores.outboxes() {
            left += open(pool, UNSENT).await?;
        }
        left += unconsumed(stores).await?;
        Ok(left + open(&stores.notifications, UNDELIVERED).await?)
    });
    Ok(Settled { orders, rest: rest.await })
}

async fn until(
    since: Instant,
    limit: Duration,
    left: impl AsyncFn() -> Result<i64>,
) -> Option<Duration> {
    loop {
        // A database that has just come back may refuse the first question.
        if left().await.is_ok_and(|left| left == 0) {
            return Some(since.elapsed());
        }
        if since.elapsed() > limit {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn open(pool: &PgPool, question: &'static str) -> Result<i64> {
    Ok(sqlx::query_scalar(question).fetch_one(pool).await?)
}

/// Facts for notifications that are not remembered there yet.
async fn unconsumed(stores: &Stores) -> Result<i64> {
    let told: i64 = {
        let mut told = 0;
        for (_, pool) in stores.outboxes() {
            told +=
                sqlx::query_scalar::<_, i64>("select count(*) from outbox where topic = any($1)")
                    .bind(topics())
                    .fetch_one(pool)
                    .await?;
        }
        told
    };
    let remembered = open(&stores.notifications, "select count(*) from inbox").await?;
    Ok(told - remembered)
}

/// What notifications consumes.
fn topics() -> Vec<&'static str> {
    let facts = proto::fact::FACTS.iter();
    facts.filter(|f| f.consumers.contains(&"notifications")).map(|f| f.topic).collect()
}

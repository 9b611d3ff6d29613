//! What waking the relay costs those who commit. A notification holds a lock of the
//! whole server until its transaction's commit is on disk, so commits that notify
//! wait for each other.

use std::time::Duration;

use anyhow::Result;
use events::{BrokerConfig, Relay};
use prost::Message;
use proto::Fact;
use proto::orders::v1::OrderFailed;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::load::closed_loop;
use crate::table;

const PUBLISHERS: usize = 32;

pub async fn run(lasting: Duration) -> Result<()> {
    let database = testkit::database(&[&events::OUTBOX]).await;
    let connections = u32::try_from(PUBLISHERS)?;
    let pool = PgPoolOptions::new().max_connections(connections).connect(&database.url).await?;
    table::head("Notify: a row and a fact in one commit", "", "share of silent");
    let commits =
        async |say: Say| closed_loop(PUBLISHERS, lasting, async || commit(&pool, say).await).await;
    let silent = commits(Say::Nothing).await?;
    table::line("never notified, no relay", PUBLISHERS, &silent, Some(&silent));
    let always = commits(Say::Always).await?;
    table::line("always notified, no relay", PUBLISHERS, &always, Some(&silent));
    let ours = commits(Say::Ours).await?;
    table::line("as published, no relay", PUBLISHERS, &ours, Some(&silent));
    sqlx::query("truncate outbox").execute(&pool).await?;

    let stop = CancellationToken::new();
    let config = BrokerConfig { amqp_url: testkit::vhost().await.into() };
    let relay = Relay::new("orders", pool.clone(), config);
    let relaying = tokio::spawn(relay.run(stop.clone()));
    let silent = commits(Say::Nothing).await?;
    table::line("never notified, relay at work", PUBLISHERS, &silent, Some(&silent));
    let always = commits(Say::Always).await?;
    table::line("always notified, relay at work", PUBLISHERS, &always, Some(&silent));
    let ours = commits(Say::Ours).await?;
    table::line("as published, relay at work", PUBLISHERS, &ours, Some(&silent));
    stop.cancel();
    relaying.await?
}

#[derive(Clone, Copy)]
enum Say {
    Nothing,
    Always,
    /// What the platform does.
    Ours,
}

async fn commit(pool: &PgPool, say: Say) -> Result<()> {
    let mut tx = postgres::begin(pool).await?;
    let fact = OrderFailed { order_id: Uuid::now_v7().to_string(), ..OrderFailed::default() };
    match say {
        Say::Nothing => insert(&mut tx, &fact, "select 1 from fact").await?,
        Say::Always => insert(&mut tx, &fact, "select pg_notify('outbox', '') from fact").await?,
        Say::Ours => drop(events::publish(&mut tx, &fact).await?),
    }
    Ok(tx.commit().await?)
}

/// As `events::publish` does, but for the waking.
async fn insert(tx: &mut PgConnection, fact: &OrderFailed, then: &'static str) -> Result<()> {
    let insert = "with fact as (
        insert into outbox (id, topic, key, schema, payload) values ($1, $2, $3, $4, $5)
        returning position
    )";
    sqlx::query(AssertSqlSafe(format!("{insert} {then}")))
        .bind(Uuid::now_v7())
        .bind(OrderFailed::INFO.topic)
        .bind(fact.key())
        .bind(OrderFailed::INFO.schema)
        .bind(fact.encode_to_vec())
        .execute(tx)
        .await?;
    Ok(())
}

//! Facts from the publisher's commit to the consumer's: through the outbox, the
//! relay, the broker and the inbox.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use events::{BrokerConfig, Consumer, Handler, Meta, Relay};
use proto::orders::v1::OrderFailed;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::load::{Outcome, closed_loop};
use crate::table;

/// Facts that wait when the relay and the consumer start.
const BACKLOG: usize = 10_000;
/// Facts a second, evenly.
const STEADY: usize = 100;
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn run(lasting: Duration) -> Result<()> {
    table::head("Facts: from commit to effect", "", "");
    let way = Way::new().await?;
    let ids = (0..BACKLOG).map(|_| Uuid::now_v7());
    for batch in ids.collect::<Vec<_>>().chunks(500) {
        let mut tx = postgres::begin(&way.pool).await?;
        for id in batch {
            way.publish(&mut tx, *id).await?;
        }
        tx.commit().await?;
    }
    let began = Instant::now();
    let _running = way.start();
    way.until_seen(BACKLOG).await?;
    let drained = way.outcome(began.elapsed());
    let rate = drained.per_second();
    println!("  {:<44} {:>3} {rate:>9.0}", "a backlog of 10,000, at once", "");

    let began = Instant::now();
    way.steadily(lasting).await?;
    table::line("one every 10 ms", 1, &way.outcome(began.elapsed()), None);

    let began = Instant::now();
    let commits = closed_loop(8, lasting, async || way.commit().await).await?;
    table::line("commits of 8 publishers", 8, &commits, None);
    way.until_seen(way.published()).await?;
    table::line("the same facts, until they took effect", 8, &way.outcome(began.elapsed()), None);
    Ok(())
}

/// When a fact was published, and how long it took until it was consumed.
type Flight = (Instant, Option<Duration>);

/// When each fact was published and when it took effect.
#[derive(Clone, Default)]
struct Times(Arc<Mutex<HashMap<Uuid, Flight>>>);

impl Times {
    fn with<T>(
        &self,
        change: impl FnOnce(&mut HashMap<Uuid, (Instant, Option<Duration>)>) -> T,
    ) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Way {
    pool: PgPool,
    config: BrokerConfig,
    times: Times,
    _database: testkit::TestDatabase,
}

impl Way {
    async fn new() -> Result<Self> {
        let database = testkit::database(&[&events::OUTBOX, &events::INBOX]).await;
        let pool = PgPoolOptions::new().max_connections(20).connect(&database.url).await?;
        let config = BrokerConfig { amqp_url: testkit::vhost().await.into() };
        Ok(Self { pool, config, times: Times::default(), _database: database })
    }

    fn start(&self) -> tokio_util::sync::DropGuard {
        let stop = CancellationToken::new();
        let relay = Relay::new("orders", self.pool.clone(), self.config.clone());
        let consumer = Consumer::new("notifications", self.pool.clone(), self.config.clone())
            .on::<OrderFailed, _>(Clock(self.times.clone()));
        tokio::spawn(relay.run(stop.clone()));
        tokio::spawn(consumer.run(stop.clone()));
        stop.drop_guard()
    }

    async fn publish(&self, tx: &mut PgConnection, id: Uuid) -> Result<()> {
        self.times.with(|times| times.insert(id, (Instant::now(), None)));
        let fact = OrderFailed { order_id: id.to_string(), ..OrderFailed::default() };
        events::publish(tx, &fact).await?;
        Ok(())
    }

    async fn commit(&self) -> Result<()> {
        let mut tx = postgres::begin(&self.pool).await?;
        self.publish(&mut tx, Uuid::now_v7()).await?;
        Ok(tx.commit().await?)
    }

    async fn steadily(&self, lasting: Duration) -> Result<()> {
        let facts = STEADY * usize::try_from(lasting.as_secs())?;
        let mut ticks = interval(Duration::from_secs(1) / u32::try_from(STEADY)?);
        for _ in 0..facts {
            ticks.tick().await;
            self.commit().await?;
        }
        self.until_seen(facts).await
    }

    fn published(&self) -> usize {
        self.times.with(|times| times.len())
    }

    async fn until_seen(&self, count: usize) -> Result<()> {
        let began = Instant::now();
        while self.times.with(|t| t.values().filter(|(_, seen)| seen.is_some()).count()) < count {
            ensure!(began.elapsed() < PATIENCE, "facts did not take effect");
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// What was measured since the last time.
    fn outcome(&self, took: Duration) -> Outcome {
        let times = self.times.with(std::mem::take);
        Outcome::new(times.into_values().filter_map(|(_, seen)| seen).collect(), took)
    }
}

/// Writes down when a fact is handled.
struct Clock(Times);

#[async_trait]
impl Handler<OrderFailed> for Clock {
    async fn handle(&self, _: &mut PgConnection, fact: OrderFailed, _: &Meta) -> Result<()> {
        let id = fact.order_id.parse()?;
        self.0.with(|times| {
            if let Some((published, seen)) = times.get_mut(&id) {
                seen.get_or_insert(published.elapsed());
            }
        });
        Ok(())
    }
}

//! A publishing and a consuming service in one database, with a broker of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use events::{BrokerConfig, Consumer, DeadLetters, Handler, Health, Meta, Relay};
use proto::orders::v1::OrderFailed;
use sqlx::{PgConnection, PgPool};
use testkit::{TestDatabase, database, eventually, vhost};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub const CONSUMER: &str = "notifications";
pub const TOPIC: &str = "orders.v1.order_failed";
pub const QUEUE: &str = "notifications.orders.v1.order_failed";

pub struct World {
    pub amqp_url: String,
    pub db: TestDatabase,
}

impl World {
    pub async fn new() -> Self {
        Self::with_broker(vhost().await).await
    }

    /// With a broker that the test may break.
    pub async fn with_broker(amqp_url: String) -> Self {
        let db = database(&[&events::OUTBOX, &events::INBOX, &audit::ACTIONS]).await;
        let effects = "create table effects (
            position bigint generated always as identity, key text, body text)";
        sqlx::query(effects).execute(&db.pool).await.unwrap();
        Self { amqp_url, db }
    }

    pub fn pool(&self) -> &PgPool {
        &self.db.pool
    }

    pub fn config(&self) -> BrokerConfig {
        broker_at(&self.amqp_url)
    }

    pub fn relay(&self) -> Running {
        self.relay_at(self.config())
    }

    pub fn relay_at(&self, config: BrokerConfig) -> Running {
        let relay = Relay::new("orders", self.pool().clone(), config);
        let health = relay.health();
        Running::start(health, |shutdown| relay.run(shutdown))
    }

    /// Runs a consumer that writes down what it is told, unless told to fail.
    pub fn consumer(&self, failing: &Failing) -> Running {
        self.consumer_at(self.config(), failing)
    }

    pub fn consumer_at(&self, config: BrokerConfig, failing: &Failing) -> Running {
        let consumer = Consumer::new(CONSUMER, self.pool().clone(), config)
            .on::<OrderFailed, _>(Recorder(failing.clone()));
        let health = consumer.health();
        Running::start(health, |shutdown| consumer.run(shutdown))
    }

    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(CONSUMER, self.pool().clone(), self.config())
    }

    /// Commits a fact.
    pub async fn publish(&self, key: &str, body: &str) -> Uuid {
        let mut tx = postgres::begin(self.pool()).await.unwrap();
        let id = events::publish(&mut tx, &fact(key, body)).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// What was applied, in order.
    pub async fn effects(&self) -> Vec<(String, String)> {
        let effects = "select key, body from effects order by position";
        sqlx::query_as(effects).fetch_all(self.pool()).await.unwrap()
    }

    /// Waits until that many effects are there, and answers them.
    pub async fn until_effects(&self, count: usize) -> Vec<(String, String)> {
        eventually(&format!("{count} effects"), async || {
            let effects = self.effects().await;
            (effects.len() >= count).then_some(effects)
        })
        .await
    }

    /// Waits until every fact is confirmed by the broker.
    pub async fn until_all_sent(&self) {
        eventually("an empty outbox", async || (self.unsent().await == 0).then_some(())).await;
    }

    pub async fn unsent(&self) -> i64 {
        let unsent = "select count(*) from outbox where sent_at is null";
        sqlx::query_scalar(unsent).fetch_one(self.pool()).await.unwrap()
    }
}

/// A relay or a consumer at work; shut down when dropped.
pub struct Running {
    pub health: Health,
    shutdown: DropGuard,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    fn start<F>(health: Health, run: impl FnOnce(CancellationToken) -> F) -> Self
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(run(shutdown.clone()));
        Self { health, shutdown: shutdown.drop_guard(), task }
    }

    pub async fn until_up(&self) {
        eventually("a connection", async || self.health.is_up().then_some(())).await;
    }

    pub async fn stop(self) {
        drop(self.shutdown);
        self.task.await.unwrap().unwrap();
    }
}

/// How many more times the handler fails.
#[derive(Clone, Default)]
pub struct Failing(Arc<AtomicU32>);

impl Failing {
    pub fn times(count: u32) -> Self {
        Self(Arc::new(AtomicU32::new(count)))
    }

    pub fn always() -> Self {
        Self::times(u32::MAX)
    }

    pub fn stop(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    fn next(&self) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
    }
}

pub struct Recorder(pub Failing);

#[async_trait]
impl Handler<OrderFailed> for Recorder {
    async fn handle(
        &self,
        tx: &mut PgConnection,
        fact: OrderFailed,
        meta: &Meta,
    ) -> anyhow::Result<()> {
        assert_eq!((meta.key.as_str(), meta.topic.as_str()), (fact.order_id.as_str(), TOPIC));
        // Written first: a failure must take it back.
        sqlx::query("insert into effects (key, body) values ($1, $2)")
            .bind(fact.order_id)
            .bind(fact.reason)
            .execute(tx)
            .await?;
        anyhow::ensure!(!self.0.next(), "the mail server says no");
        Ok(())
    }
}

pub fn fact(key: &str, body: &str) -> OrderFailed {
    OrderFailed { order_id: key.to_owned(), user_id: String::new(), reason: body.to_owned() }
}

pub fn broker_at(url: &str) -> BrokerConfig {
    BrokerConfig { amqp_url: url.into() }
}

pub fn pair(key: &str, body: &str) -> (String, String) {
    (key.to_owned(), body.to_owned())
}

//! Applies facts once, in the transaction that remembers them.

mod attempt;
pub(crate) mod dead_letter;
mod delivery;
pub(crate) mod depths;
mod lanes;
mod subscription;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use proto::Fact;
use proto::fact::FACTS;
use sqlx::{PgConnection, PgPool};
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

use self::delivery::Desk;
use self::subscription::Subscription;
use crate::backoff::Backoff;
use crate::cloudevent::Meta;
use crate::config::{BrokerConfig, Target};
use crate::connection::Broker;
use crate::health::Health;
use crate::inbox;

const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// How long handlers that are at it may take to finish at shutdown.
const GRACE: Duration = Duration::from_secs(10);

/// Applies a fact.
#[async_trait]
pub trait Handler<F>: Send + Sync + 'static {
    /// Applies the fact in `tx`, which commits together with the memory of it:
    /// effects in the database happen once. An error undoes all of it; the fact is
    /// tried again with growing pauses and finally put among the dead letters.
    async fn handle(&self, tx: &mut PgConnection, fact: F, meta: &Meta) -> Result<()>;
}

/// Consumes facts from the queues that the contract gives to a workload.
///
/// Facts of one topic and key are handled one after the other; failures do not
/// change that order, a dead letter leaves it.
pub struct Consumer {
    workload: &'static str,
    pool: PgPool,
    config: BrokerConfig,
    subscriptions: Vec<Subscription>,
    health: Health,
}

impl Consumer {
    /// A consumer without handlers, with the inbox in `pool`.
    pub fn new(workload: &'static str, pool: PgPool, config: BrokerConfig) -> Self {
        Self { workload, pool, config, subscriptions: Vec::new(), health: Health::default() }
    }

    /// Handles facts of one kind.
    pub fn on<F: Fact + 'static, H: Handler<F>>(mut self, handler: H) -> Self {
        self.subscriptions.push(Subscription::new::<F, H>(handler));
        self
    }

    /// Whether the broker is there.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Consumes until shutdown. Neither a lost broker nor a lost database ends it;
    /// a wrong `AMQP_URL` does, and handlers that the contract does not know.
    pub async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let target = self.config.target()?;
        self.check_contract()?;
        let swept = shutdown.run_until_cancelled(sweep(&self.pool));
        tokio::join!(self.keep_consuming(&target, &shutdown), swept);
        Ok(())
    }

    /// The contract says who consumes what, and queues exist by it.
    fn check_contract(&self) -> Result<()> {
        for fact in FACTS {
            let handled = self.subscriptions.iter().any(|s| s.topic == fact.topic);
            let named = fact.consumers.contains(&self.workload);
            ensure!(
                named || !handled,
                "the contract does not name {} as a consumer of {}",
                self.workload,
                fact.topic
            );
            if named && !handled {
                tracing::warn!(event.topic = fact.topic, "nobody handles this; it piles up");
            }
        }
        Ok(())
    }

    async fn keep_consuming(&self, target: &Target, shutdown: &CancellationToken) {
        let mut backoff = Backoff::default();
        while !shutdown.is_cancelled() {
            let ended = self.session(target, &mut backoff, shutdown).await;
            self.health.set(false);
            if let Err(error) = ended {
                if backoff.is_first() {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "facts wait at the broker; trying again");
                }
                backoff.pause(shutdown).await;
            }
        }
    }

    /// One connection's life. `Ok` means shutdown.
    async fn session(
        &self,
        target: &Target,
        backoff: &mut Backoff,
        shutdown: &CancellationToken,
    ) -> Result<()> {
        let name = format!("{} consumer", self.workload);
        let connecting = Broker::connect(target, &name);
        let Some(broker) = shutdown.run_until_cancelled(connecting).await else { return Ok(()) };
        let broker = broker?;
        let mut queues = self.subscribe(&broker, shutdown).await?;
        self.health.set(true);
        tracing::info!("consuming facts");
        backoff.reset();
        let ended = tokio::select! {
            () = shutdown.cancelled() => Ok(()),
            ended = queues.join_next(), if !queues.is_empty() => failure(ended),
        };
        if ended.is_ok() {
            let finished = async { while queues.join_next().await.is_some() {} };
            let _ = timeout(GRACE, finished).await;
            broker.close().await;
        }
        // Whatever still runs ends here, with the connection.
        ended
    }

    async fn subscribe(
        &self,
        broker: &Broker,
        shutdown: &CancellationToken,
    ) -> Result<JoinSet<Result<()>>> {
        let publisher = Arc::new(broker.publisher().await?);
        let mut queues = JoinSet::new();
        for subscription in &self.subscriptions {
            let desk = Desk::new(
                self.workload,
                subscription,
                self.pool.clone(),
                publisher.clone(),
                shutdown.clone(),
            );
            let channel = broker.channel().await?;
            let stream = lanes::open(&channel, desk.queue()).await?;
            queues.spawn(lanes::run(Arc::new(desk), channel, stream, shutdown.clone()));
        }
        let topics = self.subscriptions.iter().map(|s| s.topic).collect();
        queues.spawn(depths::watch(
            self.workload,
            topics,
            broker.channel().await?,
            shutdown.clone(),
        ));
        Ok(queues)
    }
}

/// A queue's task ended before shutdown, which it never does without a reason.
fn failure(ended: Option<Result<Result<()>, tokio::task::JoinError>>) -> Result<()> {
    match ended {
        Some(ended) => ended.context("a queue's task panicked")?,
        None => bail!("no queue to consume from"),
    }
}

async fn sweep(pool: &PgPool) {
    let mut ticks = interval(PURGE_EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = inbox::purge(pool).await {
            tracing::warn!(error = %error, "old inbox entries are not deleted");
        }
    }
}

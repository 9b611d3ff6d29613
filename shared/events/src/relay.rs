//! From the outbox to the broker, in order for each aggregate.

mod lead;
mod monitor;
mod waves;

use std::time::Duration;

use anyhow::{Context, Result};
use metrics::{counter, gauge};
use proto::fact::FACTS;
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use self::lead::Lead;
use self::waves::Waves;
use crate::backoff::Backoff;
use crate::config::{BrokerConfig, Target};
use crate::connection::Broker;
use crate::health::Health;
use crate::outbox::{self, Row};
use crate::publisher::{Message, Publisher};
use crate::topology::EVENTS;
use crate::{cloudevent, trace};

/// Facts read from the outbox at a time.
const BATCH: i64 = 500;

/// How often a relay looks whether a full broker takes facts again.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(200);

/// Publishes what commits to the outbox. Every replica of a service runs one; one
/// of them is at work at a time.
///
/// A fact is published at least once. Facts of one key keep their order: the next
/// is published when the broker has confirmed the one before.
pub struct Relay {
    source: &'static str,
    pool: PgPool,
    config: BrokerConfig,
    health: Health,
}

impl Relay {
    /// A relay of a workload's outbox; `source` is the workload's name.
    pub fn new(source: &'static str, pool: PgPool, config: BrokerConfig) -> Self {
        Self { source, pool, config, health: Health::default() }
    }

    /// Whether the broker is there.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Publishes until shutdown. Neither a lost broker nor a lost database ends it;
    /// a wrong `AMQP_URL` does.
    pub async fn run(self, shutdown: CancellationToken) -> Result<()> {
        let target = self.config.target()?;
        gauge!("outbox_relay_lead").set(0.0);
        let monitored = shutdown.run_until_cancelled(monitor::run(&self.pool));
        tokio::join!(self.keep_relaying(&target, &shutdown), monitored);
        Ok(())
    }

    async fn keep_relaying(&self, target: &Target, shutdown: &CancellationToken) {
        let mut backoff = Backoff::default();
        while !shutdown.is_cancelled() {
            let ended = self.session(target, &mut backoff, shutdown).await;
            self.health.set(false);
            if let Err(error) = ended {
                if backoff.is_first() {
                    let error = format!("{error:#}");
                    tracing::warn!(error, "facts wait in the outbox; trying again");
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
        let name = format!("{} relay", self.source);
        let connecting = Broker::connect(target, &name);
        let Some(broker) = shutdown.run_until_cancelled(connecting).await else { return Ok(()) };
        let broker = broker?;
        let publisher = broker.publisher().await?;
        self.health.set(true);
        let Some(mut lead) = Lead::take(&self.pool, &broker, shutdown).await? else {
            return Ok(());
        };
        let _leading = Leading::now();
        tracing::info!("relaying facts");
        while !shutdown.is_cancelled() {
            broker.ensure_up()?;
            let published = self.publish_batch(&mut lead, &publisher, shutdown).await;
            if broker.is_blocked() {
                self.wait_for_room(&broker, shutdown).await?;
                continue;
            }
            let found = published?;
            backoff.reset();
            match found {
                0 => lead.rest(shutdown).await?,
                _ => lead.rouse().await?,
            }
        }
        broker.close().await;
        Ok(())
    }

    /// A broker that is out of memory or disk takes nothing and says when it is over.
    /// A new connection would only be blocked as well.
    async fn wait_for_room(&self, broker: &Broker, shutdown: &CancellationToken) -> Result<()> {
        tracing::warn!("the broker is full; facts wait in the outbox");
        self.health.set(false);
        while broker.is_blocked() && !shutdown.is_cancelled() {
            broker.ensure_up()?;
            shutdown.run_until_cancelled(sleep(LOOK_FOR_ROOM)).await;
        }
        self.health.set(!broker.is_blocked());
        Ok(())
    }

    /// Publishes the oldest facts and answers how many it found.
    async fn publish_batch(
        &self,
        lead: &mut Lead,
        publisher: &Publisher,
        shutdown: &CancellationToken,
    ) -> Result<u64> {
        let rows = outbox::unsent(lead.conn(), BATCH).await.context("the outbox is unreadable")?;
        let found = rows.len() as u64;
        let (mut sent, mut failed) = (Vec::new(), None);
        let mut waves = Waves::new(rows);
        while let Some(wave) = waves.next() {
            if shutdown.is_cancelled() {
                break;
            }
            let spans: Vec<Span> = wave.iter().map(trace::sending).collect();
            let messages = self.messages(&wave, &spans)?;
            let answers = publisher.publish_all(messages).await;
            for ((row, span), answer) in wave.iter().zip(spans).zip(answers) {
                match answer {
                    Ok(()) => {
                        sent.push(row.position);
                        count_sent(&row.topic);
                    }
                    Err(error) => {
                        telemetry::failed(&span, "not_confirmed");
                        waves.hold(&row.key);
                        failed =
                            Some(error.context(format!("{} {} not published", row.topic, row.id)));
                    }
                }
            }
        }
        if !sent.is_empty() {
            outbox::mark_sent(lead.conn(), &sent).await.context("the outbox is unwritable")?;
        }
        // A fresh connection declares the topology again, which is what mends a
        // fact that no queue took.
        failed.map_or(Ok(found), Err)
    }

    fn messages<'a>(&self, wave: &'a [Row], spans: &[Span]) -> Result<Vec<Message<'a>>> {
        wave.iter()
            .zip(spans)
            .map(|(row, span)| {
                Ok(Message {
                    exchange: EVENTS,
                    routing_key: &row.topic,
                    mandatory: has_consumers(&row.topic),
                    properties: cloudevent::properties(
                        row,
                        self.source,
                        telemetry::traceparent_of(span),
                    )?,
                    payload: &row.payload,
                })
            })
            .collect()
    }
}

fn count_sent(topic: &str) {
    let labels = [("messaging_destination_name", topic.to_owned())];
    counter!("messaging_client_sent_messages_total", &labels).increment(1);
}

/// Shows in the metrics which replica's relay is at work.
struct Leading;

impl Leading {
    fn now() -> Self {
        gauge!("outbox_relay_lead").set(1.0);
        Self
    }
}

impl Drop for Leading {
    fn drop(&mut self) {
        gauge!("outbox_relay_lead").set(0.0);
    }
}

fn has_consumers(topic: &str) -> bool {
    FACTS.iter().any(|fact| fact.topic == topic && !fact.consumers.is_empty())
}

//! What becomes of a delivery: applied, tried again, or a dead letter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use lapin::message::Delivery;
use lapin::options::BasicAckOptions;
use metrics::{counter, histogram};
use sqlx::PgPool;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::attempt::{Attempt, apply};
use super::dead_letter;
use super::subscription::{Erased, Subscription};
use crate::backoff::{Backoff, doubled};
use crate::cloudevent::Meta;
use crate::publisher::Publisher;
use crate::{topology, trace};

/// Tries of one delivery before it is a dead letter.
const ATTEMPTS: u32 = 8;
/// The pause after the first failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Settles the deliveries of one queue.
pub(super) struct Desk {
    workload: &'static str,
    topic: &'static str,
    queue: String,
    handler: Arc<dyn Erased>,
    pool: PgPool,
    publisher: Arc<Publisher>,
    shutdown: CancellationToken,
}

impl Desk {
    pub(super) fn new(
        workload: &'static str,
        subscription: &Subscription,
        pool: PgPool,
        publisher: Arc<Publisher>,
        shutdown: CancellationToken,
    ) -> Self {
        let (topic, handler) = (subscription.topic, subscription.handler.clone());
        let queue = topology::queue(workload, topic);
        Self { workload, topic, queue, handler, pool, publisher, shutdown }
    }

    /// The queue's name.
    pub(super) fn queue(&self) -> &str {
        &self.queue
    }

    /// Answers a delivery to the broker; at shutdown it may be left unanswered. An
    /// error means that the broker is lost.
    pub(super) async fn settle(&self, delivery: Delivery) -> Result<()> {
        let meta = match Meta::read(&delivery.properties) {
            Ok(meta) => meta,
            Err(error) => return self.bury(delivery, &error, 1).await,
        };
        let span = trace::processing(self.workload, &meta);
        self.settle_known(delivery, &meta).instrument(span).await
    }

    /// Tries in place, so that later facts of the key wait behind this one. Giving
    /// it back to the queue would let those overtake it that are delivered already.
    async fn settle_known(&self, delivery: Delivery, meta: &Meta) -> Result<()> {
        let _timer = Timer::start(self.workload, self.topic);
        let (mut failures, mut outage) = (0, Backoff::default());
        while !self.shutdown.is_cancelled() {
            let handler = self.handler.as_ref();
            match apply(&self.pool, self.workload, handler, &delivery.data, meta).await {
                Attempt::Applied => return self.done(delivery, "applied").await,
                Attempt::Duplicate => return self.done(delivery, "duplicate").await,
                Attempt::Hopeless(error) => return self.bury(delivery, &error, failures + 1).await,
                Attempt::Failed(error) => {
                    failures += 1;
                    if failures == ATTEMPTS {
                        return self.bury(delivery, &error, failures).await;
                    }
                    self.count("retried");
                    let pause = doubled(FIRST_PAUSE, failures - 1, LONGEST_PAUSE);
                    self.shutdown.run_until_cancelled(sleep(pause)).await;
                }
                Attempt::Outage(error) => {
                    if outage.is_first() {
                        let error = format!("{error:#}");
                        tracing::warn!(error, "no database for a fact; trying again");
                    }
                    outage.pause(&self.shutdown).await;
                }
            }
        }
        Ok(())
    }

    async fn done(&self, delivery: Delivery, outcome: &'static str) -> Result<()> {
        self.count(outcome);
        Ok(delivery.ack(BasicAckOptions::default()).await.map(drop)?)
    }

    /// Puts it among the dead letters, and only then takes it from the queue.
    async fn bury(&self, delivery: Delivery, reason: &Error, attempts: u32) -> Result<()> {
        let reason = format!("{reason:#}");
        let letter = dead_letter::message(&self.queue, &delivery, &reason, attempts);
        self.publisher.publish(letter).await?;
        telemetry::failed(&Span::current(), "dead_letter");
        tracing::error!(
            event.topic = self.topic,
            event.attempts = attempts,
            error = reason,
            "a fact became a dead letter"
        );
        self.done(delivery, "dead").await
    }

    fn count(&self, outcome: &'static str) {
        let labels = [
            ("messaging_consumer_group_name", self.workload),
            ("messaging_destination_name", self.topic),
            ("outcome", outcome),
        ];
        counter!("messaging_client_consumed_messages_total", &labels).increment(1);
    }
}

/// Measures how long a delivery was worked on, however that ends.
struct Timer {
    labels: [(&'static str, &'static str); 2],
    started: Instant,
}

impl Timer {
    fn start(workload: &'static str, topic: &'static str) -> Self {
        let labels =
            [("messaging_consumer_group_name", workload), ("messaging_destination_name", topic)];
        Self { labels, started: Instant::now() }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let took = self.started.elapsed().as_secs_f64();
        histogram!("messaging_process_duration_seconds", &self.labels).record(took);
    }
}

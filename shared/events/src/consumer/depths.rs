//! How many facts wait in a consumer's queues, and how many are dead letters.

use std::time::Duration;

use anyhow::{Context, Result};
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use metrics::gauge;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::topology;

const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// Measures until shutdown. Every replica measures the same queues: take the maximum
/// over them. An error asks for a new connection.
pub(super) async fn watch(
    workload: &'static str,
    topics: Vec<&'static str>,
    channel: Channel,
    shutdown: CancellationToken,
) -> Result<()> {
    let mut ticks = interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        for topic in &topics {
            let labels = [("consumer", workload), ("topic", *topic)];
            let queue = topology::queue(workload, topic);
            let dead = topology::dead_letter_queue(&queue);
            gauge!("events_waiting", &labels).set(depth(&channel, &queue).await?);
            gauge!("events_dead_letters", &labels).set(depth(&channel, &dead).await?);
        }
    }
    Ok(())
}

/// How many messages are ready in a queue.
pub(crate) async fn depth(channel: &Channel, queue: &str) -> Result<u32> {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    let declared = channel.queue_declare(queue.into(), passive, FieldTable::default()).await;
    Ok(declared.with_context(|| format!("no queue {queue}"))?.message_count())
}

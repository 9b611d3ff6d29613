//! Several deliveries of a queue at a time, those of one key one after the other.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::delivery::Desk;
use crate::cloudevent::key_of;

/// Deliveries handled at a time. A key always falls into the same lane.
const LANES: usize = 8;

/// Deliveries the broker hands out before it waits for an answer.
const PREFETCH: u16 = 32;

/// Starts consuming.
pub(super) async fn open(channel: &Channel, queue: &str) -> Result<Consumer> {
    channel.basic_qos(PREFETCH, BasicQosOptions::default()).await?;
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel
        .basic_consume(queue.into(), "".into(), options, arguments)
        .await
        .with_context(|| format!("cannot consume from {queue}"))
}

/// Hands deliveries to the lanes until shutdown; what is not begun by then goes back
/// to the queue with the connection. An error asks for a new connection.
pub(super) async fn run(
    desk: Arc<Desk>,
    _channel: Channel,
    mut stream: Consumer,
    shutdown: CancellationToken,
) -> Result<()> {
    let mut lanes = JoinSet::new();
    let senders: Vec<_> = (0..LANES)
        .map(|_| {
            let (sender, deliveries) = mpsc::channel(usize::from(PREFETCH));
            lanes.spawn(lane(desk.clone(), deliveries, shutdown.clone()));
            sender
        })
        .collect();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = lanes.join_next() => flatten(ended)?,
            delivery = stream.next() => {
                let delivery = delivery.context("the broker ended the subscription")??;
                let lane = lane_of(&key_of(&delivery.properties));
                if senders[lane].send(delivery).await.is_err() {
                    bail!("a lane is closed");
                }
            }
        }
    }
    drop(senders);
    while let Some(ended) = lanes.join_next().await {
        flatten(ended)?;
    }
    Ok(())
}

async fn lane(
    desk: Arc<Desk>,
    mut deliveries: mpsc::Receiver<Delivery>,
    shutdown: CancellationToken,
) -> Result<()> {
    while let Some(delivery) = deliveries.recv().await {
        if shutdown.is_cancelled() {
            break;
        }
        desk.settle(delivery).await?;
    }
    Ok(())
}

fn flatten(ended: Result<Result<()>, JoinError>) -> Result<()> {
    ended.context("a lane panicked")?
}

fn lane_of(key: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    (hasher.finish() % LANES as u64) as usize
}

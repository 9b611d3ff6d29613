//! Dead letters back to the queue they died on.

use anyhow::{Context, Result, ensure};
use lapin::message::BasicGetMessage;
use lapin::options::{BasicAckOptions, BasicGetOptions};
use proto::fact::FACTS;

use crate::config::BrokerConfig;
use crate::connection::Broker;
use crate::consumer::dead_letter::{original_headers, with_id};
use crate::publisher::{Message, Publisher};
use crate::topology;

/// Puts the dead letters of a workload's topic back where they came from, and
/// answers how many.
///
/// Those that die again meanwhile stay where they are. When it fails half-way, what
/// was not moved is still a dead letter; one letter may then be in both places,
/// which the inbox of the consumer makes harmless.
pub async fn redrive(config: &BrokerConfig, workload: &str, topic: &str) -> Result<usize> {
    let known = FACTS.iter().any(|f| f.topic == topic && f.consumers.contains(&workload));
    ensure!(known, "the contract does not name {workload} as a consumer of {topic}");
    let broker = Broker::connect(&config.uri()?, &format!("{workload} redrive")).await?;
    let (channel, publisher) = (broker.channel().await?, broker.publisher().await?);
    let queue = topology::queue(workload, topic);
    let dead = topology::dead_letter_queue(&queue);
    let (mut moved, mut left) = (0, 1);
    while left > 0 {
        let letter = channel.basic_get(dead.as_str().into(), BasicGetOptions::default()).await?;
        let Some(letter) = letter else { break };
        left = if moved == 0 { letter.message_count } else { left - 1 };
        put_back(&publisher, &queue, letter).await?;
        moved += 1;
    }
    broker.close().await;
    Ok(moved)
}

/// It is taken from the dead letters when the broker has it safe in the queue.
async fn put_back(publisher: &Publisher, queue: &str, letter: BasicGetMessage) -> Result<()> {
    let delivery = letter.delivery;
    let headers = original_headers(&delivery.properties);
    let message = Message {
        // The default exchange: to this queue and to no other consumer.
        exchange: "",
        routing_key: queue,
        mandatory: true,
        properties: with_id(delivery.properties.clone()).with_headers(headers),
        payload: &delivery.data,
    };
    publisher.publish(message).await.context("a dead letter is not moved")?;
    delivery.acker.ack(BasicAckOptions::default()).await?;
    Ok(())
}

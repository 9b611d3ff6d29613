//! Exchanges, queues and bindings, as the contract implies them.
//!
//! Whoever connects declares all of it, so a fact that is published before its
//! consumer ever ran is kept.

use anyhow::{Context, Result};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};
use proto::FactInfo;
use proto::fact::FACTS;

/// Where facts are published, with their topic as routing key.
pub(crate) const EVENTS: &str = "stoa.events";
/// Where dead letters go, with the name of the queue they died on as routing key.
pub(crate) const DEAD: &str = "stoa.dead";

/// Deliveries of one message after which the broker itself gives up. Not reached by
/// failing handlers, which are retried within one delivery: it stops a message that
/// takes the process down with it.
const DELIVERY_LIMIT: i32 = 20;
/// Dead letters wait for a person, however often they are looked at. RabbitMQ 4
/// would drop them after 20 times.
const NO_DELIVERY_LIMIT: i32 = 1_000_000;

/// The queue of a consumer for a fact.
pub fn queue(consumer: &str, topic: &str) -> String {
    format!("{consumer}.{topic}")
}

/// Where the queue's dead letters wait.
pub fn dead_letter_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// Declares everything; what exists already stays as it is.
pub(crate) async fn declare(channel: &Channel) -> Result<()> {
    exchange(channel, EVENTS, ExchangeKind::Topic).await?;
    exchange(channel, DEAD, ExchangeKind::Direct).await?;
    for fact in FACTS {
        for consumer in fact.consumers {
            subscription(channel, consumer, fact).await?;
        }
    }
    Ok(())
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind) -> Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
    channel
        .exchange_declare(name.into(), kind, options, FieldTable::default())
        .await
        .with_context(|| format!("cannot declare the exchange {name}"))
}

async fn subscription(channel: &Channel, consumer: &str, fact: &FactInfo) -> Result<()> {
    let name = queue(consumer, fact.topic);
    let dead = dead_letter_queue(&name);
    declare_queue(channel, &dead, dead_letter_arguments()).await?;
    bind(channel, &dead, DEAD, &name).await?;
    declare_queue(channel, &name, arguments(&name)).await?;
    bind(channel, &name, EVENTS, fact.topic).await
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> Result<()> {
    let declared = channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments);
    declared.await.with_context(|| format!("cannot declare the queue {name}"))?;
    Ok(())
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<()> {
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind(queue.into(), exchange.into(), key.into(), options, arguments)
        .await
        .with_context(|| format!("cannot bind the queue {queue}"))
}

fn arguments(queue: &str) -> FieldTable {
    let mut arguments = quorum();
    // One replica of the consumer at a time, or the facts of one key would overtake
    // each other between replicas. Another takes over when it goes.
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
    arguments.insert("x-dead-letter-exchange".into(), text(DEAD));
    arguments.insert("x-dead-letter-routing-key".into(), text(queue));
    // The broker's own dead-lettering may lose messages otherwise; it asks for the
    // overflow setting, which has no other effect on a queue without a length limit.
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn dead_letter_arguments() -> FieldTable {
    let mut arguments = quorum();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(NO_DELIVERY_LIMIT));
    arguments
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page is made by the contract compiler, which cannot ask this crate.
    #[test]
    fn the_catalogue_of_events_names_the_queues_that_are_declared() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/contract/events.md");
        let page = std::fs::read_to_string(page).expect("the page exists");
        assert!(page.contains(&format!("`{EVENTS}`")));
        for fact in FACTS {
            for consumer in fact.consumers {
                let queue = queue(consumer, fact.topic);
                assert!(page.contains(&format!("`{queue}`")), "{queue}");
                assert!(page.contains(&format!("`{}`", dead_letter_queue(&queue))), "{queue}");
            }
        }
    }
}

//! The broker seen from outside: raw messages and queues.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions,
    ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use tokio::time::timeout;

use crate::world::World;

/// A message as it lies in a queue.
pub struct Letter {
    pub headers: BTreeMap<String, String>,
    pub payload: Vec<u8>,
}

/// Takes a message from a queue, if there is one.
pub async fn take(world: &World, queue: &str) -> Option<Letter> {
    let connection = connect(world).await;
    let channel = connection.create_channel().await.unwrap();
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    // The queue may not be declared yet.
    let mut stream =
        channel.basic_consume(queue.into(), "".into(), options, arguments).await.ok()?;
    let delivered = timeout(Duration::from_millis(500), stream.next()).await;
    let message = delivered.ok()??.unwrap();
    message.ack(BasicAckOptions::default()).await.unwrap();
    let headers = message.properties.headers().clone().unwrap_or_default();
    let headers = headers.inner().iter().map(|(k, v)| (k.to_string(), text(v))).collect();
    let payload = message.data.clone();
    connection.close(200, "OK".into()).await.unwrap();
    Some(Letter { headers, payload })
}

/// How many messages wait in a queue, and how many consume from it; none when there
/// is no such queue.
pub async fn state(world: &World, queue: &str) -> Option<(u32, u32)> {
    let connection = connect(world).await;
    let channel = connection.create_channel().await.unwrap();
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let declared = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
    let state = declared.ok().map(|queue| (queue.message_count(), queue.consumer_count()));
    connection.close(200, "OK".into()).await.unwrap();
    state
}

/// How many messages wait in a queue that may not be declared yet.
pub async fn waiting(world: &World, queue: &str) -> u32 {
    state(world, queue).await.map_or(0, |(messages, _)| messages)
}

/// Puts a message into a queue as any program might.
pub async fn put(world: &World, queue: &str, headers: &[(&str, &str)], payload: &[u8]) {
    let connection = connect(world).await;
    let channel = connection.create_channel().await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    let mut table = FieldTable::default();
    for (name, value) in headers {
        table.insert((*name).into(), AMQPValue::LongString((*value).into()));
    }
    let properties = BasicProperties::default().with_headers(table);
    let options = BasicPublishOptions { mandatory: true, immediate: false };
    let confirm = channel.basic_publish("".into(), queue.into(), options, payload, properties);
    let confirmation = confirm.await.unwrap().await.unwrap();
    assert!(confirmation.is_ack() && confirmation.take_message().is_none());
    connection.close(200, "OK".into()).await.unwrap();
}

/// Deletes a queue behind everybody's back.
pub async fn delete_queue(world: &World, queue: &str) {
    let connection = connect(world).await;
    let channel = connection.create_channel().await.unwrap();
    channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    connection.close(200, "OK".into()).await.unwrap();
}

/// Deletes an exchange, and with it every binding to it.
pub async fn delete_exchange(world: &World, exchange: &str) {
    let connection = connect(world).await;
    let channel = connection.create_channel().await.unwrap();
    channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await.unwrap();
    connection.close(200, "OK".into()).await.unwrap();
}

async fn connect(world: &World) -> Connection {
    Connection::connect(&world.amqp_url, ConnectionProperties::default()).await.unwrap()
}

fn text(value: &AMQPValue) -> String {
    match value {
        AMQPValue::LongString(text) => text.to_string(),
        AMQPValue::LongLongInt(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

//! Dead letters: the message as it was, and why it died.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use uuid::Uuid;

use crate::publisher::Message;
use crate::topology::DEAD;

const ERROR: &str = "stoa-error";
const ATTEMPTS: &str = "stoa-attempts";

/// Characters of the reason that are kept.
const LONGEST_REASON: usize = 500;

/// The dead letter of a delivery.
pub(super) fn message<'a>(
    queue: &'a str,
    delivery: &'a Delivery,
    reason: &str,
    attempts: u32,
) -> Message<'a> {
    let reason: String = reason.chars().take(LONGEST_REASON).collect();
    let mut headers = original_headers(&delivery.properties);
    headers.insert(ERROR.into(), AMQPValue::LongString(reason.into()));
    headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(attempts.into()));
    Message {
        exchange: DEAD,
        routing_key: queue,
        mandatory: true,
        properties: with_id(delivery.properties.clone()).with_headers(headers),
        payload: &delivery.data,
    }
}

/// The headers without what the broker and this module added on the way.
pub(crate) fn original_headers(properties: &BasicProperties) -> FieldTable {
    let mut original = FieldTable::default();
    let headers = properties.headers().iter().flat_map(|h| h.inner());
    for (name, value) in headers {
        let added = name.as_str().starts_with("x-") || [ERROR, ATTEMPTS].contains(&name.as_str());
        if !added {
            original.insert(name.clone(), value.clone());
        }
    }
    original
}

/// A returned message is recognised by its id, so a stranger's gets one.
pub(crate) fn with_id(properties: BasicProperties) -> BasicProperties {
    if properties.message_id().is_some() {
        return properties;
    }
    properties.with_message_id(Uuid::now_v7().to_string().into())
}

//! Dead letters: the message as it was, and why it died.

use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::{AMQPValue, FieldTable};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::cloudevent::header;
use crate::publisher::Message;
use crate::topology::DEAD;

const ERROR: &str = "stoa-error";
const ATTEMPTS: &str = "stoa-attempts";

/// Characters of the reason that are kept.
const LONGEST_REASON: usize = 500;

/// What an operator sees of a dead letter: never its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Empty, as the key, when the message does not say.
    pub event_id: String,
    pub key: String,
    /// Why the last try failed.
    pub reason: String,
    pub attempts: u32,
    /// When the fact was decided.
    pub time: Option<OffsetDateTime>,
}

impl Letter {
    pub(crate) fn read(properties: &BasicProperties) -> Self {
        let none = FieldTable::default();
        let headers = properties.headers().as_ref().unwrap_or(&none);
        let text = |name: &str| header(headers, name);
        // What takes the process down with it dies at the broker, which gives its own.
        let reason = text(ERROR).or_else(|| text("x-first-death-reason")).unwrap_or_default();
        let attempts = match headers.inner().get(ATTEMPTS) {
            Some(AMQPValue::LongLongInt(attempts)) => u32::try_from(*attempts).unwrap_or(0),
            _ => 0,
        };
        let time = text("cloudEvents:time");
        Self {
            event_id: text("cloudEvents:id").unwrap_or_default(),
            key: text("cloudEvents:subject").unwrap_or_default(),
            reason,
            attempts,
            time: time.and_then(|time| OffsetDateTime::parse(&time, &Rfc3339).ok()),
        }
    }
}

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

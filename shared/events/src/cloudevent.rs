//! CloudEvents 1.0 attributes in AMQP binary mode.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md>

use anyhow::{Context, Result, ensure};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::outbox::Row;

const SPEC_VERSION: &str = "1.0";
const PROTOBUF: &str = "application/protobuf";
const PERSISTENT: u8 = 2;

/// What is known about a delivered fact besides its content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meta {
    /// The same in every delivery of one fact.
    pub event_id: Uuid,
    /// When the fact was decided.
    pub time: OffsetDateTime,
    /// Who published it, `/stoa/<workload>`.
    pub source: String,
    /// `<domain>.v1.<fact>`.
    pub topic: String,
    /// The aggregate it is about.
    pub key: String,
    /// W3C trace context of the publisher.
    pub traceparent: Option<String>,
}

impl Meta {
    /// Reads the attributes of a delivery; fails naming the one that is wrong.
    pub(crate) fn read(properties: &BasicProperties) -> Result<Self> {
        let headers = properties.headers().as_ref().context("no headers")?;
        let required = |name: &str| header(headers, name).with_context(|| format!("no {name}"));
        let version = required("cloudEvents:specversion")?;
        ensure!(version == SPEC_VERSION, "unknown cloudEvents:specversion {version:?}");
        let id = required("cloudEvents:id")?;
        let time = required("cloudEvents:time")?;
        Ok(Self {
            event_id: id.parse().context("cloudEvents:id is not a UUID")?,
            time: OffsetDateTime::parse(&time, &Rfc3339).context("cloudEvents:time is wrong")?,
            source: required("cloudEvents:source")?,
            topic: required("cloudEvents:type")?,
            key: required("cloudEvents:subject")?,
            traceparent: header(headers, "traceparent"),
        })
    }
}

/// The aggregate a delivery is about, empty when it does not say.
pub(crate) fn key_of(properties: &BasicProperties) -> String {
    let headers = properties.headers().as_ref();
    headers.and_then(|h| header(h, "cloudEvents:subject")).unwrap_or_default()
}

/// The properties with which a fact from the outbox is published; `traceparent` is of
/// the span that publishes it.
pub(crate) fn properties(
    row: &Row,
    source: &str,
    traceparent: Option<String>,
) -> Result<BasicProperties> {
    let mut headers = FieldTable::default();
    let mut set = |name: &str, value: &str| {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    set("cloudEvents:specversion", SPEC_VERSION);
    set("cloudEvents:id", &row.id.to_string());
    set("cloudEvents:type", &row.topic);
    set("cloudEvents:source", &format!("/stoa/{source}"));
    set("cloudEvents:time", &row.created_at.format(&Rfc3339)?);
    set("cloudEvents:subject", &row.key);
    set("cloudEvents:dataschema", &row.schema);
    if let Some(traceparent) = &traceparent {
        set("traceparent", traceparent);
    }
    Ok(BasicProperties::default()
        .with_content_type(PROTOBUF.into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(row.id.to_string().into())
        .with_headers(headers))
}

/// A header that is text.
pub(crate) fn header(headers: &FieldTable, name: &str) -> Option<String> {
    match headers.inner().get(name)? {
        AMQPValue::LongString(value) => String::from_utf8(value.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            position: 1,
            id: Uuid::now_v7(),
            topic: "orders.v1.order_failed".to_owned(),
            key: "o-1".to_owned(),
            schema: "stoa.orders.v1.OrderFailed".to_owned(),
            payload: Vec::new(),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            created_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn attributes_survive_the_way_to_the_consumer() -> Result<()> {
        let row = row();
        let meta = Meta::read(&properties(&row, "orders", row.traceparent.clone())?)?;
        let expected = Meta {
            event_id: row.id,
            time: row.created_at,
            source: "/stoa/orders".to_owned(),
            topic: row.topic,
            key: row.key,
            traceparent: row.traceparent,
        };
        assert_eq!(meta, expected);
        Ok(())
    }

    #[test]
    fn a_message_without_attributes_says_what_is_missing() {
        let bare = BasicProperties::default().with_headers(FieldTable::default());
        let error = Meta::read(&bare).expect_err("nothing is there");
        assert_eq!(error.to_string(), "no cloudEvents:specversion");
    }
}

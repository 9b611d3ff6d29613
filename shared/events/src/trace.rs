//! Spans of facts on their way, by OpenTelemetry's conventions for messaging
//! (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/).
//!
//! A fact is part of the request that it tells of: the span that sends it is a child of
//! the one that decided it, however much later, and the one that handles it is a child
//! of the one that sent it.

use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::cloudevent::Meta;
use crate::outbox::Row;

/// The span of a fact that is given to the broker.
pub(crate) fn sending(row: &Row) -> Span {
    let span = info_span!(
        "send",
        otel.name = format!("send {}", row.topic),
        otel.kind = "producer",
        otel.status_code = Empty,
        error.type = Empty,
        messaging.system = "rabbitmq",
        messaging.operation.name = "send",
        messaging.operation.type = "send",
        messaging.destination.name = row.topic,
        messaging.message.id = %row.id,
    );
    telemetry::set_parent(&span, row.traceparent.as_deref());
    span
}

/// The span of a delivery with all its tries.
pub(crate) fn processing(workload: &'static str, meta: &Meta) -> Span {
    let span = info_span!(
        "process",
        otel.name = format!("process {}", meta.topic),
        otel.kind = "consumer",
        otel.status_code = Empty,
        error.type = Empty,
        messaging.system = "rabbitmq",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = meta.topic,
        messaging.consumer.group.name = workload,
        messaging.message.id = %meta.event_id,
    );
    telemetry::set_parent(&span, meta.traceparent.as_deref());
    span
}

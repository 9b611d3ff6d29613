//! The receiver of traces: OTLP over gRPC
//! (https://opentelemetry.io/docs/specs/otlp/#otlpgrpc).

use std::sync::Arc;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::TraceService;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span as Received, span::SpanKind, status::StatusCode};
use tonic::{Request, Response, Status};

use crate::core::traces::Traces;
use crate::domain::span::{Event, Kind, Span, SpanId, TraceId};

/// What is kept of one span, whatever its sender thinks: characters of a text, and how
/// many attributes, events and links.
const TEXT: usize = 2_000;
const PARTS: usize = 64;

/// Takes spans in.
pub struct Receiver {
    traces: Arc<Traces>,
}

impl Receiver {
    pub fn new(traces: Arc<Traces>) -> Self {
        Self { traces }
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let spans = resources.flat_map(|part| {
            let source = Source::of(part.resource.unwrap_or_default());
            let spans = part.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.filter_map(move |span| source.span(span))
        });
        self.traces.add(spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

/// Who tells.
struct Source {
    service: String,
    instance: String,
    version: String,
}

impl Source {
    fn of(resource: Resource) -> Self {
        let attributes = attributes(resource.attributes);
        let told = |name: &str| {
            let found = attributes.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Self {
            service: told("service.name"),
            instance: told("service.instance.id"),
            version: told("service.version"),
        }
    }

    /// None where the ids are none: such a span belongs nowhere.
    fn span(&self, span: Received) -> Option<Span> {
        let (trace, id) = ids(&span.trace_id, &span.span_id)?;
        let status = span.status.unwrap_or_default();
        let failed = status.code == StatusCode::Error as i32;
        let links = span.links.iter().take(PARTS);
        let events = span.events.into_iter().take(PARTS).map(|event| Event {
            at: event.time_unix_nano,
            name: cut(event.name),
            attributes: attributes(event.attributes),
        });
        Some(Span {
            trace,
            id,
            parent: span.parent_span_id.try_into().ok().map(SpanId).filter(|id| id.0 != [0; 8]),
            kind: kind(span.kind),
            name: cut(span.name),
            service: self.service.clone(),
            instance: self.instance.clone(),
            version: self.version.clone(),
            start: span.start_time_unix_nano,
            end: span.end_time_unix_nano.max(span.start_time_unix_nano),
            error: failed.then(|| cut(status.message)),
            attributes: attributes(span.attributes),
            events: events.collect(),
            links: links.filter_map(|link| ids(&link.trace_id, &link.span_id)).collect(),
        })
    }
}

fn ids(trace: &[u8], span: &[u8]) -> Option<(TraceId, SpanId)> {
    let (trace, span): ([u8; 16], [u8; 8]) = (trace.try_into().ok()?, span.try_into().ok()?);
    (trace != [0; 16] && span != [0; 8]).then_some((TraceId(trace), SpanId(span)))
}

fn kind(kind: i32) -> Kind {
    match SpanKind::try_from(kind) {
        Ok(SpanKind::Server) => Kind::Server,
        Ok(SpanKind::Client) => Kind::Client,
        Ok(SpanKind::Producer) => Kind::Producer,
        Ok(SpanKind::Consumer) => Kind::Consumer,
        _ => Kind::Internal,
    }
}

fn attributes(pairs: Vec<KeyValue>) -> Vec<(String, String)> {
    let pairs = pairs.into_iter().take(PARTS);
    pairs.map(|pair| (cut(pair.key), cut(pair.value.map(text).unwrap_or_default()))).collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(Value::ArrayValue(list)) => {
            list.values.into_iter().take(PARTS).map(text).collect::<Vec<_>>().join(", ")
        }
        Some(Value::BytesValue(bytes)) => format!("{} bytes", bytes.len()),
        _ => String::new(),
    }
}

fn cut(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(TEXT) {
        text.truncate(at);
        text.push('…');
    }
    text.shrink_to_fit();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_without_ids_belongs_nowhere() {
        let source = Source::of(Resource::default());
        assert!(source.span(Received::default()).is_none());
        let zero = Received { trace_id: vec![0; 16], span_id: vec![1; 8], ..Received::default() };
        assert!(source.span(zero).is_none());
        let good = Received { trace_id: vec![2; 16], span_id: vec![1; 8], ..Received::default() };
        assert!(source.span(good).is_some_and(|span| span.parent.is_none()));
    }

    #[test]
    fn what_is_too_long_is_cut_at_a_character() {
        let long = cut("ü".repeat(TEXT + 1));
        assert_eq!((long.chars().count(), long.ends_with('…')), (TEXT + 1, true));
        assert_eq!(cut("short".to_owned()), "short");
    }

    #[test]
    fn a_span_that_ends_before_it_began_lasts_no_time() {
        let span = Received {
            trace_id: vec![2; 16],
            span_id: vec![1; 8],
            start_time_unix_nano: 10,
            end_time_unix_nano: 5,
            ..Received::default()
        };
        let span = Source::of(Resource::default()).span(span);
        assert!(span.is_some_and(|span| span.duration() == 0 && span.end == 10));
    }
}

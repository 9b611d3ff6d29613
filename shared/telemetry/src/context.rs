//! W3C trace context (https://www.w3.org/TR/trace-context/) across hops.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceFlags, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The `traceparent` of the current span.
pub fn traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

/// The `traceparent` of a span.
pub fn traceparent_of(span: &Span) -> Option<String> {
    let mut carrier = HashMap::new();
    let context = span.context();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove("traceparent")
}

/// Makes a span the child of a remote one, where there is one. A malformed `traceparent`
/// is ignored, as the specification asks.
pub fn set_parent(span: &Span, traceparent: Option<&str>) {
    let Some(traceparent) = traceparent else { return };
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract(&carrier);
    // Fails only when the span is disabled: then there is nothing to link.
    let _ = span.set_parent(context);
}

/// Makes a span one of what a process does again and again and for nobody. Neither it nor
/// what is done in it is collected, here or where it calls, but for what fails: else the
/// requests of people would be hard to find among them.
pub fn routine(span: &Span) {
    let ids = RandomIdGenerator::default();
    let (trace, parent) = (ids.new_trace_id(), ids.new_span_id());
    let flags = TraceFlags::NOT_SAMPLED;
    let nobody = SpanContext::new(trace, parent, flags, true, TraceState::default());
    let _ = span.set_parent(Context::new().with_remote_span_context(nobody));
}

/// Marks a span of what failed. The type is one of a few; the text is in the log. The
/// span has to have room for both: `otel.status_code` and `error.type`, empty until now.
pub fn failed(span: &Span, error_type: &'static str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", error_type);
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::traces;

    /// Whether the calls that are made in a span are collected.
    fn is_collected(prepare: impl FnOnce(&Span)) -> bool {
        let provider = traces::sampled(1.0).build();
        let layer = tracing_opentelemetry::layer().with_tracer(traces::tracer(&provider));
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            let span = tracing::info_span!("outer");
            prepare(&span);
            let call = span.in_scope(|| tracing::info_span!("call"));
            traceparent_of(&call).expect("a trace").ends_with("-01")
        })
    }

    #[test]
    fn what_a_process_does_again_and_again_is_not_collected_where_it_calls_either() {
        assert!(is_collected(|_| {}));
        assert!(!is_collected(routine));
    }

    #[test]
    fn a_span_without_a_traceparent_begins_a_trace_of_its_own() {
        assert!(is_collected(|span| set_parent(span, None)));
        let of = |flags| format!("00-{:032x}-{:016x}-{flags}", 7, 7);
        assert!(is_collected(|span| set_parent(span, Some(&of("01")))));
        assert!(!is_collected(|span| set_parent(span, Some(&of("00")))));
        assert!(is_collected(|span| set_parent(span, Some("nonsense"))));
    }
}

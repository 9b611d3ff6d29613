//! Spans on their way to OTLP, and which of them go.

use std::time::Duration;

use anyhow::{Context as _, Result};
use opentelemetry::trace::{
    Link, SpanContext, SpanKind, Status, TraceContextExt, TraceId, TraceState, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, Sampler, SamplingDecision, SamplingResult, SdkTracer, SdkTracerProvider,
    ShouldSample, Span, SpanData, SpanProcessor, TracerProviderBuilder,
};
use tracing::Metadata;
use uuid::Uuid;

use crate::TelemetryConfig;

pub(crate) type Provider = SdkTracerProvider;

/// Spans carry W3C context whether or not anybody collects them.
pub(crate) fn provider(service: &'static str, config: &TelemetryConfig) -> Result<Provider> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let builder = sampled(config.trace_share).with_resource(resource(service));
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(builder.build()) };
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT is not usable")?;
    let next = BatchSpanProcessor::builder(exporter).build();
    Ok(builder.with_span_processor(ErrorsToo { next }).build())
}

/// What collects that share of the traces that begin here.
pub(crate) fn sampled(share: f64) -> TracerProviderBuilder {
    SdkTracerProvider::builder().with_sampler(Head(Sampler::TraceIdRatioBased(share)))
}

pub(crate) fn tracer(provider: &Provider) -> SdkTracer {
    provider.tracer("stoa")
}

/// https://opentelemetry.io/docs/specs/semconv/resource/
fn resource(service: &'static str) -> Resource {
    Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.namespace", "stoa"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", Uuid::now_v7().to_string()))
        .build()
}

/// Spans and events from INFO on, whatever the log shows; statements have spans of
/// their own.
pub(crate) fn is_told(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= tracing::Level::INFO && !metadata.target().starts_with("sqlx")
}

/// Whoever is first on a request's way decides whether its trace is collected; the
/// rest follow. What is not collected is recorded nevertheless: see [`ErrorsToo`].
#[derive(Clone, Debug)]
struct Head(Sampler);

impl ShouldSample for Head {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let before = parent.map(|parent| parent.span().span_context().clone());
        let before = before.filter(SpanContext::is_valid);
        let sampled = match &before {
            Some(before) => before.is_sampled(),
            None => {
                let first = self.0.should_sample(None, trace_id, name, kind, attributes, links);
                first.decision == SamplingDecision::RecordAndSample
            }
        };
        SamplingResult {
            decision: match sampled {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::RecordOnly,
            },
            attributes: Vec::new(),
            trace_state: before.map_or_else(TraceState::default, |b| b.trace_state().clone()),
        }
    }
}

/// Lets through what is sampled, and whatever failed: of a request that goes wrong the
/// spans from the fault up to its begin are there, however few are collected.
#[derive(Debug)]
struct ErrorsToo<P> {
    next: P,
}

impl<P: SpanProcessor> SpanProcessor for ErrorsToo<P> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.next.on_start(span, context);
    }

    fn on_end(&self, mut span: SpanData) {
        let context = &span.span_context;
        if !context.is_sampled() {
            if !matches!(span.status, Status::Error { .. }) {
                return;
            }
            let flags = context.trace_flags().with_sampled(true);
            let (trace, id) = (context.trace_id(), context.span_id());
            let state = context.trace_state().clone();
            span.span_context = SpanContext::new(trace, id, flags, context.is_remote(), state);
        }
        self.next.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{Span as _, SpanBuilder, Tracer};

    use super::*;

    /// The names of what would be sent.
    #[derive(Debug, Clone, Default)]
    struct Sent(Arc<Mutex<Vec<String>>>);

    impl SpanProcessor for Sent {
        fn on_start(&self, _: &mut Span, _: &Context) {}

        fn on_end(&self, span: SpanData) {
            assert!(span.span_context.is_sampled(), "what is not sampled is dropped on the way");
            self.0.lock().expect("no panic before").push(span.name.into_owned());
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    /// The names of the spans that are collected.
    fn collected(share: f64, parent: &Context, spans: &[(&'static str, Status)]) -> Vec<String> {
        let sent = Sent::default();
        let provider = sampled(share).with_span_processor(ErrorsToo { next: sent.clone() }).build();
        let tracer = tracer(&provider);
        for (name, status) in spans {
            let builder = SpanBuilder::from_name(*name);
            let mut span = tracer.build_with_context(builder, parent);
            span.set_status(status.clone());
        }
        let sent = sent.0.lock().expect("no panic before");
        sent.clone()
    }

    fn parent(sampled: bool) -> Context {
        let flags = opentelemetry::TraceFlags::default().with_sampled(sampled);
        let (trace, span) = (TraceId::from(7), opentelemetry::trace::SpanId::from(7));
        let before = SpanContext::new(trace, span, flags, true, TraceState::default());
        Context::new().with_remote_span_context(before)
    }

    #[test]
    fn whoever_was_first_decides_for_all() {
        let good = [("good", Status::Ok)];
        assert_eq!(collected(0.0, &parent(true), &good), ["good"]);
        assert!(collected(1.0, &parent(false), &good).is_empty());
        assert_eq!(collected(1.0, &Context::new(), &good), ["good"]);
        assert!(collected(0.0, &Context::new(), &good).is_empty());
    }

    #[test]
    fn what_failed_is_collected_in_any_case() {
        let spans = [("good", Status::Ok), ("bad", Status::error("broken"))];
        assert_eq!(collected(0.0, &Context::new(), &spans), ["bad"]);
        assert_eq!(collected(1.0, &parent(false), &spans), ["bad"]);
    }
}

//! What the database is asked: a span and a measurement for every statement, made from
//! the line that sqlx writes about it. Values are bound and stand in no statement.

use std::fmt::Debug;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt, Tracer};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::dispatcher::WeakDispatch;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::traces::{self, Provider};

/// Operations that are told apart; what else there may be is one.
const OPERATIONS: [&str; 10] = [
    "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "LISTEN", "LOCK",
];
const OTHER: &str = "OTHER";

/// Listens to sqlx.
pub(crate) struct Statements {
    tracer: SdkTracer,
    /// What it is part of: who else listens knows the contexts of spans. Asking for the
    /// current one is no good, for there is none while it is in the middle of a line.
    whole: OnceLock<WeakDispatch>,
}

impl Statements {
    pub(crate) fn new(provider: &Provider) -> Self {
        Self { tracer: traces::tracer(provider), whole: OnceLock::new() }
    }

    /// Statements, and the spans in which they are made.
    pub(crate) fn concerns(metadata: &Metadata<'_>) -> bool {
        match metadata.is_span() {
            true => traces::is_told(metadata),
            false => metadata.target() == "sqlx::query",
        }
    }

    /// https://opentelemetry.io/docs/specs/semconv/database/database-spans/
    fn tell(&self, parent: &opentelemetry::Context, measured: &Measured, said: Said) {
        let end = SystemTime::from(types::now());
        let Said { summary, text, rows } = said;
        let text = text.unwrap_or_else(|| summary.clone());
        let mut span = self
            .tracer
            .span_builder(summary)
            .with_kind(SpanKind::Client)
            .with_start_time(end - measured.took)
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.operation.name", measured.operation),
                KeyValue::new("db.query.text", text),
                KeyValue::new("db.response.returned_rows", rows),
            ])
            .start_with_context(&self.tracer, parent);
        span.end_with_timestamp(end);
    }
}

impl<S> Layer<S> for Statements
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, whole: &Dispatch) {
        // Once: it is made part of one.
        let _ = self.whole.set(whole.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut measured = Measured { operation: OTHER, took: Duration::ZERO };
        event.record(&mut measured);
        let labels = [("db_system_name", "postgresql"), ("db_operation_name", measured.operation)];
        metrics::histogram!("db_client_operation_duration_seconds", &labels)
            .record(measured.took.as_secs_f64());
        // What belongs to no request would be a trace of its own.
        let Some(span) = context.event_span(event) else { return };
        let whole = self.whole.get().and_then(WeakDispatch::upgrade);
        // Texts are long and seldom wanted: they are read where somebody collects them.
        if let Some(parent) = whole.and_then(|whole| get_otel_context(&span.id(), &whole))
            && parent.span().span_context().is_sampled()
        {
            let mut said = Said::default();
            event.record(&mut said);
            self.tell(&parent, &measured, said);
        }
    }
}

/// What is measured of every statement; to read it nothing is copied.
struct Measured {
    operation: &'static str,
    took: Duration,
}

impl Visit for Measured {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "summary" {
            self.operation = operation(value);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.took = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

fn operation(summary: &str) -> &'static str {
    let word = summary.split_whitespace().next().unwrap_or_default();
    let known = OPERATIONS.into_iter().find(|name| name.eq_ignore_ascii_case(word));
    known.unwrap_or(OTHER)
}

/// What a span says of a statement.
#[derive(Default)]
struct Said {
    /// Its first words: `insert into orders …`.
    summary: String,
    /// All of it in one line, where that is more than the first words.
    text: Option<String>,
    rows: i64,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" if !value.trim().is_empty() => {
                self.text = Some(value.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = i64::try_from(value).unwrap_or(i64::MAX);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use metrics_exporter_prometheus::PrometheusBuilder;
    use opentelemetry::{Value, trace::SpanId};
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
    use tracing_subscriber::Registry;
    use tracing_subscriber::filter::filter_fn;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const TEXT: &str = "\n\nselect id\n  from orders\n  where id = $1\n";

    /// The spans that ended.
    #[derive(Debug, Clone, Default)]
    struct Ended(Arc<Mutex<Vec<SpanData>>>);

    impl SpanProcessor for Ended {
        fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

        fn on_end(&self, span: SpanData) {
            self.0.lock().expect("no panic before").push(span);
        }

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    /// One request with one statement where that share of traces is collected: the spans
    /// that ended, and the metrics. sqlx's line is as sqlx 0.9 writes it.
    fn request(trace_share: f64) -> (Vec<SpanData>, String) {
        let ended = Ended::default();
        let provider = traces::sampled(trace_share).with_span_processor(ended.clone()).build();
        let spans = tracing_opentelemetry::layer().with_tracer(traces::tracer(&provider));
        let statements = Statements::new(&provider);
        let subscriber = Registry::default()
            .with(spans.with_filter(filter_fn(traces::is_told)))
            .with(statements.with_filter(filter_fn(Statements::concerns)));
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            tracing::subscriber::with_default(subscriber, || {
                let _request = tracing::info_span!("request").entered();
                tracing::debug!(
                    target: "sqlx::query",
                    summary = "select id from orders …",
                    db.statement = TEXT,
                    rows_affected = 0_u64,
                    rows_returned = 3_u64,
                    elapsed_secs = 0.25,
                );
            });
        });
        let spans = ended.0.lock().expect("no panic before").clone();
        (spans, recorder.handle().render())
    }

    fn is_measured(metrics: &str) -> bool {
        let of = "db_client_operation_duration_seconds_sum{db_system_name=\"postgresql\",\
            db_operation_name=\"SELECT\"} 0.25";
        metrics.lines().any(|line| line == of)
    }

    #[test]
    fn a_statement_of_a_collected_request_is_measured_and_has_a_span() {
        let (spans, metrics) = request(1.0);
        assert!(is_measured(&metrics), "{metrics}");
        let [statement, request] = spans.as_slice() else { panic!("{spans:?}") };
        assert_eq!(statement.name, "select id from orders …");
        assert_eq!(statement.parent_span_id, request.span_context.span_id());
        let said = |key: &str| {
            let found = statement.attributes.iter().find(|said| said.key.as_str() == key);
            found.map(|said| said.value.clone())
        };
        assert_eq!(said("db.operation.name"), Some(Value::from("SELECT")));
        let text = "select id from orders where id = $1";
        assert_eq!(said("db.query.text"), Some(Value::from(text)));
        assert_eq!(said("db.response.returned_rows"), Some(Value::from(3)));
        let took = statement.end_time.duration_since(statement.start_time);
        assert_eq!(took.expect("it ends after it began"), Duration::from_millis(250));
    }

    #[test]
    fn a_statement_of_a_request_that_is_not_collected_is_measured_and_no_more() {
        let (spans, metrics) = request(0.0);
        assert!(is_measured(&metrics), "{metrics}");
        // Recorded, because it may yet fail: whether it is sent is decided at its end.
        let [request] = spans.as_slice() else { panic!("{spans:?}") };
        assert_eq!(request.name, "request");
        assert_eq!(request.parent_span_id, SpanId::INVALID);
        assert!(!request.span_context.is_sampled());
    }

    #[test]
    fn an_operation_is_one_of_a_few() {
        assert_eq!(operation("select id from orders …"), "SELECT");
        assert_eq!(operation("BEGIN"), "BEGIN");
        assert_eq!(operation("vacuum full"), "OTHER");
        assert_eq!(operation(""), "OTHER");
    }
}

//! What the database is asked: a span and a measurement for every statement, made from
//! the line that sqlx writes about it. Values are bound and stand in no statement.

use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt, Tracer};
use opentelemetry_sdk::trace::SdkTracer;
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

/// Listens to sqlx.
pub(crate) struct Statements {
    tracer: SdkTracer,
}

impl Statements {
    pub(crate) fn new(provider: &Provider) -> Self {
        Self { tracer: traces::tracer(provider) }
    }

    /// Statements, and the spans in which they are made.
    pub(crate) fn concerns(metadata: &Metadata<'_>) -> bool {
        match metadata.is_span() {
            true => traces::is_told(metadata),
            false => metadata.target() == "sqlx::query",
        }
    }

    /// https://opentelemetry.io/docs/specs/semconv/database/database-spans/
    fn tell(&self, parent: &opentelemetry::Context, statement: Statement) {
        let end = SystemTime::from(types::now());
        let operation = statement.operation();
        let mut span = self
            .tracer
            .span_builder(statement.name())
            .with_kind(SpanKind::Client)
            .with_start_time(end - statement.took)
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.operation.name", operation),
                KeyValue::new("db.query.text", statement.text),
                KeyValue::new("db.response.returned_rows", statement.rows),
            ])
            .start_with_context(&self.tracer, parent);
        span.end_with_timestamp(end);
    }
}

impl<S> Layer<S> for Statements
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let labels =
            [("db_system_name", "postgresql"), ("db_operation_name", statement.operation())];
        metrics::histogram!("db_client_operation_duration_seconds", &labels)
            .record(statement.took.as_secs_f64());
        // What belongs to no request would be a trace of its own.
        let Some(span) = context.event_span(event) else { return };
        let inside = |dispatch: &Dispatch| get_otel_context(&span.id(), dispatch);
        if let Some(parent) = tracing::dispatcher::get_default(inside)
            && parent.span().span_context().is_sampled()
        {
            self.tell(&parent, statement);
        }
    }
}

/// One line of sqlx's.
#[derive(Default)]
struct Statement {
    summary: String,
    text: String,
    took: Duration,
    rows: i64,
}

impl Statement {
    fn operation(&self) -> &'static str {
        let word = self.summary.split_whitespace().next().unwrap_or_default();
        let known = OPERATIONS.into_iter().find(|name| name.eq_ignore_ascii_case(word));
        known.unwrap_or("OTHER")
    }

    /// Its first words: `insert into orders …`.
    fn name(&self) -> String {
        self.summary.clone()
    }

    fn set(&mut self, field: &str, value: &str) {
        match field {
            "summary" => {
                self.summary = value.to_owned();
                if self.text.is_empty() {
                    self.text = value.to_owned();
                }
            }
            "db.statement" if !value.trim().is_empty() => {
                self.text = value.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            _ => {}
        }
    }
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.took = Duration::try_from_secs_f64(value).unwrap_or_default();
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
    use super::*;

    #[test]
    fn an_operation_is_one_of_a_few() {
        let of = |summary: &str| Statement { summary: summary.to_owned(), ..Statement::default() };
        assert_eq!(of("select id from orders …").operation(), "SELECT");
        assert_eq!(of("BEGIN").operation(), "BEGIN");
        assert_eq!(of("vacuum full").operation(), "OTHER");
        assert_eq!(of("").operation(), "OTHER");
    }
}

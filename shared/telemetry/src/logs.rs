//! Log lines: JSON for machines, text for people, and what is written at all.

use std::io::IsTerminal;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use json_subscriber::JsonLayer;
use opentelemetry::trace::TraceContextExt;
use tracing::{Level, Subscriber};
use tracing_opentelemetry::get_otel_context;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::statements::Statements;
use crate::{LogFormat, TelemetryConfig, traces};

type Handle = reload::Handle<EnvFilter, Registry>;

/// Set once the process logs.
static FILTER: OnceLock<Handle> = OnceLock::new();

/// Sets up what listens to `tracing`: the log, and spans on their way to OTLP.
pub(crate) fn init(config: &TelemetryConfig, provider: &traces::Provider) -> Result<()> {
    let filter = EnvFilter::try_new(&config.log_filter).context("RUST_LOG is not a filter")?;
    let (filter, handle) = reload::Layer::new(filter);
    let log = format(config.log_format).with_filter(filter);
    let spans = tracing_opentelemetry::layer()
        .with_tracer(traces::tracer(provider))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(traces::is_told));
    Registry::default()
        .with(log)
        .with(filter_fn(|line| keeps_secrets(line.target(), *line.level())))
        .with(spans)
        .with(Statements::new(provider).with_filter(filter_fn(Statements::concerns)))
        .try_init()
        .context("logging is set up already")?;
    // A second one cannot be: `try_init` would have failed.
    let _ = FILTER.set(handle);
    Ok(())
}

/// What is logged at the moment, in the syntax of `RUST_LOG`.
pub fn log_filter() -> String {
    let current = FILTER.get().and_then(|handle| handle.with_current(ToString::to_string).ok());
    current.unwrap_or_default()
}

/// Changes what is logged, from now until the process ends.
///
/// Fails where the text is no filter; then nothing changes.
pub fn set_log_filter(text: &str) -> Result<()> {
    let filter = EnvFilter::try_new(text)?;
    FILTER.get().context("this process does not log")?.reload(filter)?;
    tracing::info!(filter = text, "what is logged was changed");
    Ok(())
}

/// Below INFO the broker's client writes down every frame: passwords, and facts with
/// what they say of people. Whatever RUST_LOG asks for, nobody reads that.
fn keeps_secrets(target: &str, level: Level) -> bool {
    level <= Level::INFO || !target.starts_with("lapin")
}

fn format<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let on_a_terminal = std::io::stdout().is_terminal();
    match format {
        LogFormat::Json => json().boxed(),
        LogFormat::Auto if !on_a_terminal => json().boxed(),
        LogFormat::Auto | LogFormat::Pretty => {
            let layer = tracing_subscriber::fmt::layer();
            layer.with_target(false).with_ansi(on_a_terminal).compact().boxed()
        }
    }
}

/// `timestamp`, `level`, `target`, `message`, what the line says, the span it is said
/// in, and which request of the whole platform that is: names as OpenTelemetry has them
/// for other formats than its own
/// (https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/).
fn json<S>() -> JsonLayer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut layer = JsonLayer::stdout();
    layer.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    layer.with_level("level").with_target("target");
    layer.with_flattened_event().with_current_span("span");
    layer.add_multiple_dynamic_fields(|event, context, line| {
        let Some(span) = context.event_span(event) else { return };
        let inside = |dispatch: &tracing::Dispatch| get_otel_context(&span.id(), dispatch);
        let Some(inside) = tracing::dispatcher::get_default(inside) else { return };
        let inside = inside.span().span_context().clone();
        if inside.is_valid() {
            let _ = line.write_field("trace_id", inside.trace_id().to_string());
            let _ = line.write_field("span_id", inside.span_id().to_string());
        }
    });
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brokers_client_never_tells_what_it_carries() {
        assert!(!keeps_secrets("lapin", Level::TRACE));
        assert!(!keeps_secrets("lapin", Level::DEBUG));
        assert!(keeps_secrets("lapin", Level::WARN));
        assert!(keeps_secrets("events::relay", Level::TRACE));
    }
}

//! The subscriber stack: filter, format, and traces by OTLP.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::{LogFormat, TelemetryConfig};

pub(crate) fn init(
    service: &'static str,
    config: &TelemetryConfig,
) -> Result<Option<SdkTracerProvider>> {
    opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = config.otlp_endpoint.as_deref().map(|e| exporter(service, e)).transpose()?;
    // Spans carry W3C context whether or not anybody collects them.
    let tracer = provider.clone().unwrap_or_default().tracer(service);
    let filter = EnvFilter::try_new(&config.log_filter).context("RUST_LOG is not a filter")?;
    Registry::default()
        .with(filter)
        .with(filter_fn(|line| keeps_secrets(line.target(), *line.level())))
        .with(tracing_opentelemetry::layer().with_tracer(tracer))
        .with(format(config.log_format))
        .try_init()
        .context("logging is set up already")?;
    Ok(provider)
}

/// Below INFO the broker's client writes down every frame: passwords, and facts with
/// what they say of people. Whatever RUST_LOG asks for, nobody reads that.
fn keeps_secrets(target: &str, level: Level) -> bool {
    level <= Level::INFO || !target.starts_with("lapin")
}

fn format<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer();
    match format {
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
        LogFormat::Pretty => {
            let colours = std::io::stdout().is_terminal();
            layer.with_target(false).with_ansi(colours).compact().boxed()
        }
    }
}

fn exporter(service: &'static str, endpoint: &str) -> Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT is not usable")?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(service).build())
        .build())
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

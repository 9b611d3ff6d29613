//! Logs, traces and metrics of a process.

pub mod context;
mod logs;

use anyhow::{Context, Result};
pub use context::{set_parent, traceparent};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry_sdk::trace::SdkTracerProvider;

/// Telemetry settings.
#[derive(clap::Args, Clone, Debug)]
pub struct TelemetryConfig {
    /// How logs are written.
    #[arg(long, env = "LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    // The broker client's errors are logged by its only user, with what follows.
    #[arg(long, env = "RUST_LOG", default_value = "info,lapin=off,sqlx::postgres::notice=warn")]
    pub log_filter: String,
    /// Where traces go by OTLP over gRPC, for example `http://127.0.0.1:4317`.
    /// Absent: nowhere.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

/// How logs are written.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// Seconds. Fine where the budgets of the contract lie.
const DURATION_BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.5, 1.0, 2.5, 10.0];

/// Keeps telemetry going; flushes what is left when dropped.
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    metrics: PrometheusHandle,
}

impl Telemetry {
    /// Renders the metrics in Prometheus' text format.
    pub fn metrics(&self) -> PrometheusHandle {
        self.metrics.clone()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(tracer) = &self.tracer {
            // The process ends; there is nobody left to tell.
            let _ = tracer.shutdown();
        }
    }
}

/// Starts logs, traces and metrics, once per process.
pub fn init(service: &'static str, config: &TelemetryConfig) -> Result<Telemetry> {
    // One crypto provider for every TLS user of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tracer = logs::init(service, config)?;
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATION_BUCKETS)?
        .install_recorder()
        .context("metrics are set up already")?;
    Ok(Telemetry { tracer, metrics })
}

//! Logs, traces and metrics of a process.

pub mod context;
mod logs;
mod saturation;
mod statements;
mod traces;

use anyhow::{Context, Result};
pub use context::{failed, routine, set_parent, traceparent, traceparent_of};
pub use logs::{log_filter, set_log_filter};
pub use metrics_exporter_prometheus::PrometheusHandle as Metrics;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use proto::policy::DURATION_BUCKETS;
pub use saturation::Saturation;

/// Telemetry settings.
#[derive(clap::Args, Clone, Debug)]
pub struct TelemetryConfig {
    /// How logs are written.
    #[arg(long, env = "LOG_FORMAT", default_value = "auto")]
    pub log_format: LogFormat,
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    // The broker client's errors are logged by its only user, with what follows.
    #[arg(long, env = "RUST_LOG", default_value = "info,lapin=off,sqlx::postgres::notice=warn")]
    pub log_filter: String,
    /// Where traces go by OTLP over gRPC, for example `http://127.0.0.1:4317`.
    /// Absent: nowhere.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// The share of traces that are collected, from 0 to 1, where nobody before this
    /// process decided. Whatever fails is collected in any case.
    #[arg(long, env = "OTEL_TRACES_SAMPLER_ARG", default_value_t = 1.0)]
    pub trace_share: f64,
}

/// How logs are written.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, else JSON.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// Keeps telemetry going; flushes what is left when dropped.
pub struct Telemetry {
    provider: traces::Provider,
    metrics: Metrics,
}

impl Telemetry {
    /// Renders the metrics in Prometheus' text format.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // The process ends; there is nobody left to tell.
        let _ = self.provider.shutdown();
    }
}

/// Starts logs, traces and metrics, once per process.
pub fn init(service: &'static str, config: &TelemetryConfig) -> Result<Telemetry> {
    // One crypto provider for every TLS user of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let provider = traces::provider(service, config)?;
    logs::init(config, &provider)?;
    let metrics = recorder()?.install_recorder().context("metrics are set up already")?;
    Ok(Telemetry { provider, metrics })
}

/// Durations are histograms whose buckets the contract's promises decide.
fn recorder() -> Result<PrometheusBuilder> {
    let durations = Matcher::Suffix("_seconds".to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(durations, DURATION_BUCKETS)?)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use opentelemetry::trace::{Span as _, Tracer as _};
    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
        TraceService, TraceServiceServer,
    };
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
    };
    use tokio::net::TcpListener;
    use tokio_stream::wrappers::TcpListenerStream;
    use tonic::{Request, Response, Status};

    use super::*;

    /// The names of the spans that came.
    #[derive(Clone, Default)]
    struct Collector(Arc<Mutex<Vec<String>>>);

    #[tonic::async_trait]
    impl TraceService for Collector {
        async fn export(
            &self,
            request: Request<ExportTraceServiceRequest>,
        ) -> Result<Response<ExportTraceServiceResponse>, Status> {
            let resources = request.into_inner().resource_spans.into_iter();
            let scopes = resources.flat_map(|resource| resource.scope_spans);
            let names = scopes.flat_map(|scope| scope.spans).map(|span| span.name);
            self.0.lock().expect("no panic before").extend(names);
            Ok(Response::new(ExportTraceServiceResponse::default()))
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_was_not_sent_yet_is_sent_before_the_process_ends() {
        let collector = Collector::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(server);
        let config = TelemetryConfig {
            log_format: LogFormat::Auto,
            log_filter: "info".to_owned(),
            otlp_endpoint: Some(format!("http://{addr}")),
            trace_share: 1.0,
        };
        let provider = traces::provider("orders", &config).expect("a good address");
        let metrics = recorder().expect("the buckets are good").build_recorder().handle();
        let telemetry = Telemetry { provider, metrics };
        traces::tracer(&telemetry.provider).start("the last request").end();
        assert!(collector.0.lock().expect("no panic before").is_empty(), "spans go in batches");
        drop(telemetry);
        assert_eq!(*collector.0.lock().expect("no panic before"), ["the last request"]);
    }

    #[test]
    fn durations_are_a_histogram_with_a_bucket_for_every_promise_of_the_contract() {
        let recorder = recorder().expect("the buckets are good").build_recorder();
        metrics::with_local_recorder(&recorder, || {
            metrics::histogram!("rpc_server_call_duration_seconds").record(0.3);
        });
        let text = recorder.handle().render();
        assert!(text.contains("# TYPE rpc_server_call_duration_seconds histogram"), "{text}");
        for slo in proto::policy::METHODS.iter().filter_map(|m| m.slo) {
            let within = u32::from(slo.latency > Duration::from_millis(300));
            let le = slo.latency.as_secs_f64();
            let bucket = format!("rpc_server_call_duration_seconds_bucket{{le=\"{le}\"}} {within}");
            assert!(text.lines().any(|line| line == bucket), "{bucket} is not in {text}");
        }
    }
}

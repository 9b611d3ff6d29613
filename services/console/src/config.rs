//! Settings, read from the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use runtime::RuntimeConfig;
use telemetry::TelemetryConfig;

use crate::domain::store::Limits;

/// Settings of the console.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub runtime: RuntimeConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    /// Where the page is served, in plain HTTP.
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:7300")]
    pub http_addr: SocketAddr,
    /// Where traces are received, OTLP over gRPC.
    #[arg(long, env = "OTLP_ADDR", default_value = "127.0.0.1:4317")]
    pub otlp_addr: SocketAddr,
    /// Prometheus' HTTP API.
    #[arg(long, env = "PROMETHEUS_URL", default_value = "http://127.0.0.1:9095")]
    pub prometheus_url: String,
    /// The time over which rates are taken, as Prometheus writes it: at least four times
    /// as long as the pause between two scrapes.
    #[arg(long, env = "RATE_WINDOW", default_value = "1m")]
    pub rate_window: String,
    /// The time over which error budgets are counted, as Prometheus writes it.
    #[arg(long, env = "BUDGET_WINDOW", default_value = "6h")]
    pub budget_window: String,
    /// How much memory traces may take, in MiB.
    #[arg(long, env = "TRACES_MIB", default_value_t = 64)]
    pub traces_mib: usize,
    /// How many traces are kept at most.
    #[arg(long, env = "TRACES_MAX", default_value_t = 20_000)]
    pub traces_max: usize,
    /// Further names under which browsers may ask, `host:port`, separated by commas;
    /// this machine's own always may.
    #[arg(long, env = "ALLOWED_HOSTS", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// The file that says which processes run on this machine and where their logs are.
    /// Absent: Prometheus is asked who is up.
    #[arg(long, env = "PROCESSES_FILE")]
    pub processes_file: Option<PathBuf>,
    /// The directory with the pages that alerts name.
    #[arg(long, env = "RUNBOOKS_DIR", default_value = "docs/operations/runbooks")]
    pub runbooks_dir: PathBuf,
    /// A directory with the page's files, for those who work on it. Absent: the files
    /// that were built in.
    #[arg(long, env = "PAGE_DIR")]
    pub page_dir: Option<PathBuf>,
}

impl Config {
    /// What may be kept of traces.
    pub fn limits(&self) -> Limits {
        Limits { bytes: self.traces_mib * 1024 * 1024, traces: self.traces_max }
    }
}

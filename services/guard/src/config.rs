//! Settings, read from the environment.

use std::net::SocketAddr;

use runtime::RuntimeConfig;
use telemetry::TelemetryConfig;

/// Settings of the guard.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub runtime: RuntimeConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    /// Where the edge asks, in plain HTTP; reachable by the edge alone.
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:8091")]
    pub http_addr: SocketAddr,
}

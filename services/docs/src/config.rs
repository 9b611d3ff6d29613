//! Settings, read from the environment.

use std::net::SocketAddr;
use std::path::PathBuf;

use runtime::RuntimeConfig;
use telemetry::TelemetryConfig;

/// Settings of the documentation's pages.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub runtime: RuntimeConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    /// Where the edge asks, in plain HTTP; reachable by the edge alone.
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:8092")]
    pub http_addr: SocketAddr,
    /// The OpenAPI document.
    #[arg(long, env = "DOCUMENT", default_value = "docs/api/openapi.yaml")]
    pub document: PathBuf,
    /// The files of the viewer: `swagger-ui-bundle.js` and `swagger-ui.css`.
    #[arg(long, env = "VIEWER_DIR", default_value = "viewer")]
    pub viewer_dir: PathBuf,
}

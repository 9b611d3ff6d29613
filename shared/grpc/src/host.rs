//! What every service's composition root has in common.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use runtime::{Admin, Readiness, RuntimeConfig, Shutdown, Tasks};
use telemetry::TelemetryConfig;
use tokio::sync::watch;

use crate::{MeshConfig, Server, ServerConfig, TokenConfig};

/// Settings of every service.
#[derive(clap::Args, Clone, Debug)]
pub struct HostConfig {
    #[command(flatten)]
    pub server: ServerConfig,
    #[command(flatten)]
    pub mesh: MeshConfig,
    #[command(flatten)]
    pub token: TokenConfig,
    #[command(flatten)]
    pub runtime: RuntimeConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
}

/// Renders the process's metrics.
pub type Metrics = Arc<dyn Fn() -> String + Send + Sync>;

/// A service that is built but not yet running.
pub struct Host {
    server: Server,
    admin: Admin,
    readiness: Readiness,
    tasks: Tasks,
}

impl Host {
    /// Binds the admin port beside the API's.
    pub async fn bind(
        config: &HostConfig,
        server: Server,
        readiness: Readiness,
        metrics: Metrics,
    ) -> Result<Self> {
        let render = move || metrics();
        let admin = Admin::bind(config.runtime.admin_addr, readiness.clone(), render).await?;
        Ok(Self { server, admin, readiness, tasks: Tasks::default() })
    }

    /// Adds a background task that runs until shutdown.
    pub fn task<F>(mut self, name: &'static str, task: F) -> Self
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.tasks.spawn(name, task);
        self
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.server.addr()
    }

    /// Where metrics and probes are served.
    pub fn admin_addr(&self) -> Result<SocketAddr> {
        self.admin.addr()
    }

    /// Runs until shutdown or until a part fails.
    pub async fn run(mut self, shutdown: Shutdown) -> Result<()> {
        let (ready, followed) = watch::channel(false);
        let following = self.readiness.follow(ready, shutdown.clone());
        self.tasks.spawn("readiness", async {
            following.await;
            Ok(())
        });
        self.tasks.spawn("admin port", self.admin.run(shutdown.clone()));
        self.tasks.spawn("gRPC port", self.server.run(followed, shutdown.clone()));
        self.tasks.join(&shutdown).await
    }
}

/// The body of every service's `main`: telemetry, signals, and one clear line when
/// it cannot go on.
pub async fn main<F, Fut>(service: &'static str, config: &TelemetryConfig, run: F) -> ExitCode
where
    F: FnOnce(Metrics, Shutdown) -> Fut,
    Fut: Future<Output = Result<()>>,
{
    let result = async {
        let telemetry = telemetry::init(service, config)?;
        let shutdown = runtime::shutdown_on_signal()?;
        let handle = telemetry.metrics();
        let metrics: Metrics = Arc::new(move || handle.render());
        run(metrics, shutdown).await
    };
    runtime::exit(service, result.await)
}

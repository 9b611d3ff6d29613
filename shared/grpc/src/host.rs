//! What every service's composition root has in common.

use std::net::SocketAddr;

use anyhow::Result;
use runtime::{Admin, Metrics, Readiness, RuntimeConfig, Shutdown, Tasks};
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
        let admin = Admin::bind(config.runtime.admin_addr, readiness.clone(), metrics).await?;
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

//! What every service's composition root has in common.

use std::net::SocketAddr;
use std::time::Duration;

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
    notice: Duration,
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
        let notice = config.runtime.drain_notice();
        Ok(Self { server, admin, readiness, tasks: Tasks::default(), notice })
    }

    /// What everything that serves or works is to stop by. When the process is asked
    /// to end it first says that it is not ready, and goes on until load balancers
    /// have noticed: so no request meets a closed door.
    pub fn after_notice(&self, asked: Shutdown) -> Shutdown {
        let (readiness, notice, stop) = (self.readiness.clone(), self.notice, Shutdown::new());
        let shutdown = stop.clone();
        tokio::spawn(async move {
            asked.cancelled().await;
            readiness.leave();
            tokio::time::sleep(notice).await;
            stop.cancel();
        });
        shutdown
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

    /// Runs until shutdown, and until what was begun before is done, or until a part
    /// fails. Metrics and probes are served to the end.
    pub async fn run(mut self, shutdown: Shutdown) -> Result<()> {
        let (ready, followed) = watch::channel(false);
        let (readiness, stop) = (self.readiness.clone(), shutdown.clone());
        self.tasks.spawn("readiness", async move {
            let leaving = async {
                stop.cancelled().await;
                readiness.leave();
            };
            tokio::join!(readiness.clone().follow(ready), leaving);
            Ok(())
        });
        let served = Shutdown::new();
        self.tasks.spawn("admin port", self.admin.run(served.clone()));
        let serving = self.server.run(followed, shutdown.clone());
        self.tasks.spawn("gRPC port", async move {
            let _served = served.drop_guard();
            serving.await
        });
        self.tasks.join(&shutdown).await
    }
}

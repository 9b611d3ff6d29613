//! The composition root: the pages and the admin port.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use runtime::{Admin, Metrics, Readiness, Shutdown, Tasks};
use tokio::net::TcpListener;

use crate::config::Config;
use crate::pages;

/// The pages, built but not yet served.
pub struct App {
    config: Config,
    listener: TcpListener,
    admin: Admin,
}

impl App {
    /// Binds the ports. Fails when a file is missing: a page without its viewer
    /// would be found out by a reader only.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let viewer = pages::VIEWER.map(|file| config.viewer_dir.join(file));
        for file in viewer.iter().chain([&config.document]) {
            ensure!(file.is_file(), "there is no {} (VIEWER_DIR, DOCUMENT)", file.display());
        }
        let listener = runtime::bind(config.http_addr, "HTTP_ADDR").await?;
        let admin = Admin::bind(config.runtime.admin_addr, Readiness::default(), metrics).await?;
        Ok(Self { config, listener, admin })
    }

    /// Where the edge asks.
    pub fn http_addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let router = pages::router(&self.config);
        let stop = shutdown.clone().cancelled_owned();
        let listener = runtime::without_delay(self.listener);
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
        let mut tasks = Tasks::default();
        tasks.spawn("HTTP port", async { Ok(serving.await?) });
        tasks.spawn("admin port", self.admin.run(shutdown.clone()));
        tasks.join(&shutdown).await
    }
}

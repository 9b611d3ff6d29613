//! The composition root.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use runtime::{Admin, Metrics, Readiness, Shutdown, Tasks};
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::api::{self, Api};
use crate::books::Books;
use crate::config::Config;
use crate::courier::{Bell, Courier};
use crate::purge;
use crate::store::Store;

/// The sandbox, built but not yet running.
pub struct App {
    config: Config,
    listener: TcpListener,
    admin: Admin,
    store: Store,
    pool: PgPool,
    courier: Courier,
}

impl App {
    /// Connects, migrates and binds.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let deadline = config.runtime.startup_deadline();
        let pool = postgres::open(&config.database, deadline, &[&crate::MIGRATOR]).await?;
        let bell = Bell::default();
        let courier = Courier::new(pool.clone(), &config.webhooks, bell.clone())?;
        let store = Store::new(pool.clone(), config.webhooks.clone(), bell);
        let readiness = Readiness::default().check("database", postgres::check(&pool));
        let listener = runtime::bind(config.http_addr, "HTTP_ADDR").await?;
        let admin = Admin::bind(config.runtime.admin_addr, readiness, metrics).await?;
        Ok(Self { config, listener, admin, store, pool, courier })
    }

    /// Where the API is served.
    pub fn http_addr(&self) -> Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Where metrics and probes are served.
    pub fn admin_addr(&self) -> Result<SocketAddr> {
        self.admin.addr()
    }

    /// Runs until shutdown or until a part fails.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let router = api::router(Arc::new(Api {
            store: self.store,
            books: Books::new(self.pool.clone()),
            api_key: self.config.api_key,
            slow: Duration::from_millis(self.config.slow_millis),
            timeout: Duration::from_millis(self.config.timeout_millis),
            shutdown: shutdown.clone(),
        }));
        let stop = shutdown.clone().cancelled_owned();
        let listener = runtime::without_delay(self.listener);
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
        let mut tasks = Tasks::default();
        tasks.spawn("HTTP port", async { Ok(serving.await?) });
        tasks.spawn("admin port", self.admin.run(shutdown.clone()));
        tasks.spawn("webhooks", self.courier.run(shutdown.clone()));
        tasks.spawn("purge", purge::run(self.pool, self.config.retention, shutdown.clone()));
        tasks.join(&shutdown).await
    }
}

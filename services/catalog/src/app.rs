//! The composition root.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use events::Relay;
use grpc::{Host, Mesh, RemoteKeys, Server, Verifier};
use proto::catalog::v1::catalog_service_server::CatalogServiceServer;
use runtime::{Metrics, Readiness, Shutdown};

use crate::api::CatalogApi;
use crate::config::Config;
use crate::core::Catalog;
use crate::infrastructure::{PostgresCategories, PostgresProducts};

/// The catalog service, built but not yet running.
pub struct App {
    host: Host,
    relay: Relay,
}

impl App {
    /// Connects, brings the schema up to date and binds the ports.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let deadline = config.host.runtime.startup_deadline();
        let parts = [&crate::MIGRATOR, &events::OUTBOX];
        let pool = postgres::open(&config.database, deadline, &parts).await?;
        let mesh = Mesh::load(&config.host.mesh)?;
        let keys = RemoteKeys::new(mesh.channel(&config.identity_url, "identity")?);
        let verifier = Verifier::new(&config.host.token, keys);
        let relay = Relay::new("catalog", pool.clone(), config.broker.clone());

        let products = Arc::new(PostgresProducts::new(pool.clone()));
        let categories = Arc::new(PostgresCategories::new(pool.clone()));
        let catalog = Arc::new(Catalog::new(products, categories, config.shop_currency));
        let server = Server::bind("catalog", &config.host.server, &mesh, verifier)
            .await?
            .add(CatalogServiceServer::new(CatalogApi::new(catalog)));

        let readiness = Readiness::default()
            .check("database", postgres::check(&pool))
            .prefer("broker", relay.health().check());
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        Ok(Self { host, relay })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        let relay = self.relay.run(shutdown.clone());
        self.host.task("outbox relay", relay).run(shutdown).await
    }
}

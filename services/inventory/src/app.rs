//! The composition root.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use events::Relay;
use grpc::{Host, Mesh, RemoteKeys, Server, Verifier};
use proto::inventory::v1::inventory_service_server::InventoryServiceServer;
use proto::inventory::v1::reservation_service_server::ReservationServiceServer;
use runtime::{Metrics, Readiness, Shutdown};

use crate::api::InventoryApi;
use crate::config::Config;
use crate::core::{Inventory, Sweeper, figures};
use crate::infrastructure::{PostgresReservations, PostgresStock};

/// The inventory service, built but not yet running.
pub struct App {
    host: Host,
    relay: Relay,
    sweeper: Sweeper,
}

impl App {
    /// Connects, brings the schema up to date and binds the ports.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        figures::begin();
        let deadline = config.host.runtime.startup_deadline();
        let parts = [&crate::MIGRATOR, &events::OUTBOX];
        let pool = postgres::open(&config.database, deadline, &parts).await?;
        let mesh = Mesh::load(&config.host.mesh)?;
        let keys = RemoteKeys::new(mesh.channel(&config.identity_url, "identity")?);
        let verifier = Verifier::new(&config.host.token, keys);
        let relay = Relay::new("inventory", pool.clone(), config.broker.clone());

        let threshold = config.low_stock_threshold;
        let stock = Arc::new(PostgresStock::new(pool.clone(), threshold));
        let reservations = Arc::new(PostgresReservations::new(pool.clone(), threshold));
        let sweeper =
            Sweeper::new(reservations.clone(), config.sweep_interval(), config.retention());
        let inventory = Arc::new(Inventory::new(stock, reservations, config.retention()));
        let server = Server::bind("inventory", &config.host.server, &mesh, verifier)
            .await?
            .add(InventoryServiceServer::new(InventoryApi::new(inventory.clone())))
            .add(ReservationServiceServer::new(InventoryApi::new(inventory)));

        let readiness = Readiness::default()
            .check("database", postgres::check(&pool))
            .prefer("broker", relay.health().check());
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        Ok(Self { host, relay, sweeper })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        let Self { host, relay, sweeper } = self;
        let relay = relay.run(shutdown.clone());
        let stop = shutdown.clone();
        let sweeping = async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = sweeper.run() => {}
            }
            Ok(())
        };
        host.task("outbox relay", relay).task("sweeper", sweeping).run(shutdown).await
    }
}

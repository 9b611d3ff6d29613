//! The composition root.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use events::Relay;
use grpc::{Host, Mesh, RemoteKeys, Server, Verifier};
use proto::orders::v1::order_service_server::OrderServiceServer;
use proto::orders::v1::personal_data_service_server::PersonalDataServiceServer;
use proto::orders::v1::saga_service_server::SagaServiceServer;
use runtime::{Metrics, Readiness, Shutdown};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::{OrdersApi, PersonalDataApi, SagasApi};
use crate::config::{Config, SagaConfig};
use crate::core::changes::Changes;
use crate::core::driver::{Driver, Settings};
use crate::core::ports::{Carts, Payments, Prices, Stock};
use crate::core::purge::Purge;
use crate::core::worker::{Worker, WorkerSettings};
use crate::core::{Orders, figures};
use crate::infrastructure::{
    GrpcCarts, GrpcPayments, GrpcPrices, GrpcStock, PostgresArchive, PostgresOrders,
    PostgresPeople, PostgresSagas, listen,
};

/// The services that checkout needs.
#[derive(Clone)]
pub struct Ports {
    pub carts: Arc<dyn Carts>,
    pub prices: Arc<dyn Prices>,
    pub stock: Arc<dyn Stock>,
    pub payments: Arc<dyn Payments>,
}

/// The orders service.
pub struct App {
    host: Host,
    relay: Relay,
    worker: Worker,
    purge: Purge,
    pool: PgPool,
    changes: Arc<Changes>,
}

impl App {
    /// Builds the service over the real services around it.
    pub async fn build(config: Config, metrics: Metrics) -> anyhow::Result<Self> {
        let mesh = Mesh::load(&config.host.mesh)?;
        let inventory = mesh.channel(&config.inventory_url, "inventory")?;
        let ports = Ports {
            carts: Arc::new(GrpcCarts::new(mesh.channel(&config.cart_url, "cart")?)),
            prices: Arc::new(GrpcPrices::new(mesh.channel(&config.catalog_url, "catalog")?)),
            stock: Arc::new(GrpcStock::new(inventory, config.saga.reservation_ttl())),
            payments: Arc::new(GrpcPayments::new(mesh.channel(&config.payments_url, "payments")?)),
        };
        Self::with_ports(config, ports, metrics).await
    }

    /// Builds the service over other ports: the same wiring for tests.
    pub async fn with_ports(
        config: Config,
        ports: Ports,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        config.saga.check()?;
        figures::begin();
        let startup_deadline = config.host.runtime.startup_deadline();
        let parts = [&crate::MIGRATOR, &events::OUTBOX, &audit::ACTIONS, &personal::ERASED];
        let pool = postgres::open(&config.database, startup_deadline, &parts).await?;
        let mesh = Mesh::load(&config.host.mesh)?;
        let keys = RemoteKeys::new(mesh.channel(&config.identity_url, "identity")?);
        let verifier = Verifier::new(&config.host.token, keys);
        let relay = Relay::new("orders", pool.clone(), config.broker.clone());
        let changes = Arc::new(Changes::default());
        let (core, worker) = core(&config.saga, &pool, ports, &changes);
        let server = Server::bind("orders", &config.host.server, &mesh, verifier)
            .await?
            .add(OrderServiceServer::new(OrdersApi::new(core.clone())))
            .add(SagaServiceServer::new(SagasApi::new(core.clone())))
            .add(PersonalDataServiceServer::new(PersonalDataApi::new(core)));
        let readiness = readiness(&pool, &relay);
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        let archive = Arc::new(PostgresArchive::new(pool.clone()));
        let purge = Purge { archive, retention: config.saga.retention() };
        Ok(Self { host, relay, worker, purge, pool, changes })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> anyhow::Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        self.host
            .task("outbox relay", self.relay.run(shutdown.clone()))
            .task("change listener", listen(self.pool, self.changes, shutdown.clone()))
            .task("saga worker", self.worker.run(shutdown.clone()))
            .task("purge", self.purge.run(shutdown.clone()))
            .run(shutdown)
            .await
    }
}

/// The use cases, and the worker beside them.
fn core(
    config: &SagaConfig,
    pool: &PgPool,
    ports: Ports,
    changes: &Arc<Changes>,
) -> (Arc<Orders>, Worker) {
    let sagas = Arc::new(PostgresSagas::new(pool.clone(), config.lease()));
    let driver = Arc::new(Driver {
        sagas: sagas.clone(),
        stock: ports.stock,
        payments: ports.payments,
        carts: ports.carts.clone(),
        settings: Settings {
            checkout_allowance: config.deadline(),
            action_timeout: config.action_timeout(),
            drill: config.drill(),
        },
        tasks: TaskTracker::new(),
        leaving: CancellationToken::new(),
        stopping: CancellationToken::new(),
    });
    let settings = WorkerSettings {
        poll: Duration::from_millis(config.saga_poll_ms),
        concurrency: config.saga_concurrency,
    };
    let worker =
        Worker { sagas: sagas.clone(), desk: sagas.clone(), driver: driver.clone(), settings };
    let orders = Orders {
        repository: Arc::new(PostgresOrders::new(pool.clone())),
        desk: sagas.clone(),
        people: Arc::new(PostgresPeople::new(pool.clone())),
        sagas,
        carts: ports.carts,
        prices: ports.prices,
        driver,
        changes: changes.clone(),
    };
    (Arc::new(orders), worker)
}

fn readiness(pool: &PgPool, relay: &Relay) -> Readiness {
    Readiness::default()
        .check("database", postgres::check(pool))
        .prefer("broker", relay.health().check())
}

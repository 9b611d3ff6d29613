//! A running inventory service and those who use it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use grpc::MeshChannel;
use inventory::app::App;
use inventory::config::Config;
use proto::inventory::v1 as pb;
use proto::inventory::v1::inventory_service_client::InventoryServiceClient;
use proto::inventory::v1::reservation_service_client::ReservationServiceClient;
use runtime::Shutdown;
use testkit::{Platform, TestDatabase, bearer, with_key};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// An inventory service of one test; it ends with the value.
pub struct World {
    pub database: TestDatabase,
    platform: Platform,
    addr: SocketAddr,
    shutdown: Shutdown,
    /// To the first replica, through the edge.
    edge: MeshChannel,
    /// To each replica in turn, as orders.
    orders: Vec<MeshChannel>,
    turn: AtomicUsize,
    /// Who adjusts stock unless the test says otherwise.
    manager: String,
}

impl World {
    /// Nothing is swept while the test lasts.
    pub async fn start() -> Self {
        Self::with_sweeps_every(3_600).await
    }

    /// Expired reservations are swept at this interval, in seconds.
    pub async fn with_sweeps_every(sweep_seconds: u64) -> Self {
        Self::of(1, sweep_seconds).await
    }

    /// So many replicas on one database.
    pub async fn of(replicas: usize, sweep_seconds: u64) -> Self {
        let (platform, database) = (Platform::start().await, testkit::database(&[]).await);
        let shutdown = Shutdown::new();
        let mut addrs = Vec::new();
        for _ in 0..replicas {
            addrs.push(replica(&platform, &database, sweep_seconds, &shutdown).await);
        }
        let edge = platform.channel("edge", addrs[0], "inventory");
        let orders =
            addrs.iter().map(|addr| platform.channel("orders", *addr, "inventory")).collect();
        let manager = platform.token(Uuid::now_v7(), &["manager"]);
        let (addr, turn) = (addrs[0], AtomicUsize::new(0));
        Self { database, platform, addr, shutdown, edge, orders, turn, manager }
    }

    /// Starts another replica, which does what replicas do when they start.
    pub async fn add_replica(&self) {
        replica(&self.platform, &self.database, 3_600, &self.shutdown).await;
    }

    /// The public API, through the edge.
    pub fn edge(&self) -> InventoryServiceClient<MeshChannel> {
        InventoryServiceClient::new(self.edge.clone())
    }

    /// The internal API, as a workload of the mesh.
    pub fn from(&self, workload: &str) -> ReservationServiceClient<MeshChannel> {
        ReservationServiceClient::new(self.platform.channel(workload, self.addr, "inventory"))
    }

    fn orders(&self) -> ReservationServiceClient<MeshChannel> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.orders.len();
        ReservationServiceClient::new(self.orders[turn].clone())
    }

    /// A request of a user with this role.
    pub fn signed<T>(&self, user: Uuid, role: &str, message: T) -> Request<T> {
        bearer(message, &self.platform.token(user, &[role]))
    }

    /// Changes stock as the manager.
    pub async fn try_adjust(
        &self,
        key: &str,
        request: pb::AdjustStockRequest,
    ) -> Result<pb::Stock, Status> {
        let signed = || with_key(bearer(request.clone(), &self.manager), key);
        Ok(patiently(async || self.edge().adjust_stock(signed()).await).await?.into_inner())
    }

    /// Changes stock, under a key of its own.
    pub async fn adjust(&self, product: Uuid, delta: i64) -> Result<pb::Stock, Status> {
        self.try_adjust(&Uuid::now_v7().to_string(), adjustment(product, delta)).await
    }

    /// A new product with this many pieces.
    pub async fn stocked(&self, pieces: i64) -> Uuid {
        let product = Uuid::now_v7();
        self.adjust(product, pieces).await.unwrap();
        product
    }

    /// Available and reserved pieces.
    pub async fn level(&self, product: Uuid) -> (i64, i64) {
        let request = pb::GetStockRequest { product_id: product.to_string() };
        let answer = patiently(async || self.edge().get_stock(request.clone()).await).await;
        let stock = answer.unwrap().into_inner();
        (stock.available, stock.reserved)
    }

    /// Reserves for 10 minutes.
    pub async fn reserve(
        &self,
        order: Uuid,
        lines: &[(Uuid, i32)],
    ) -> Result<prost_types::Timestamp, Status> {
        self.reserve_for(order, lines, 600).await
    }

    /// Reserves for this many seconds; answers when the reservation expires.
    pub async fn reserve_for(
        &self,
        order: Uuid,
        lines: &[(Uuid, i32)],
        ttl_seconds: i32,
    ) -> Result<prost_types::Timestamp, Status> {
        let line = |&(product, quantity): &(Uuid, i32)| pb::Line {
            product_id: product.to_string(),
            quantity,
        };
        let lines = lines.iter().map(line).collect();
        let request = pb::ReserveRequest {
            order_id: order.to_string(),
            lines,
            ttl_seconds,
            synthetic: false,
        };
        let answer = patiently(async || self.orders().reserve(request.clone()).await).await?;
        Ok(answer.into_inner().expire_time.unwrap())
    }

    pub async fn commit(&self, order: Uuid) -> Result<(), Status> {
        let request = pb::CommitRequest { order_id: order.to_string() };
        patiently(async || self.orders().commit(request.clone()).await).await.map(drop)
    }

    pub async fn release(&self, order: Uuid) -> Result<(), Status> {
        let request = pb::ReleaseRequest { order_id: order.to_string() };
        patiently(async || self.orders().release(request.clone()).await).await.map(drop)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn replica(
    platform: &Platform,
    database: &TestDatabase,
    sweep_seconds: u64,
    shutdown: &Shutdown,
) -> SocketAddr {
    let config = Config {
        host: platform.host("inventory"),
        database: database.config(),
        broker: events::BrokerConfig { amqp_url: testkit::vhost().await.into() },
        identity_url: platform.identity_url(),
        sweep_seconds,
        reservation_retention_days: 30,
        low_stock_threshold: 5,
    };
    let app = App::build(config, testkit::metrics()).await.unwrap();
    let addr = app.grpc_addr().unwrap();
    tokio::spawn(app.run(shutdown.clone()));
    addr
}

/// Adds pieces, or takes some away.
pub fn adjustment(product: Uuid, delta: i64) -> pb::AdjustStockRequest {
    let reason = "delivery".to_owned();
    pb::AdjustStockRequest { product_id: product.to_string(), delta, reason }
}

/// Asks again, as the saga does, while a crowded machine misses a deadline, and not before
/// it is told to: a breaker that has opened lets nobody through for a while.
async fn patiently<T, F>(call: F) -> Result<T, Status>
where
    F: AsyncFn() -> Result<T, Status>,
{
    for _ in 0..20 {
        match call().await {
            Err(late)
                if matches!(
                    late.code(),
                    Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted
                ) =>
            {
                let wait = late.get_details_retry_info().and_then(|info| info.retry_delay);
                tokio::time::sleep(wait.unwrap_or_default()).await;
            }
            answer => return answer,
        }
    }
    call().await
}

//! One product that everybody buys: reserving and selling a piece, against the bare
//! conditional update that no design on PostgreSQL can do without.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use grpc::MeshChannel;
use inventory::app::App;
use inventory::config::Config;
use inventory::core::Inventory;
use inventory::infrastructure::{PostgresReservations, PostgresStock};
use proto::inventory::v1 as pb;
use proto::inventory::v1::reservation_service_client::ReservationServiceClient;
use runtime::Shutdown;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use testkit::{Platform, TestDatabase};
use time::Duration as Ttl;
use uuid::Uuid;

use crate::load::closed_loop;
use crate::table;

const BUYERS: [usize; 3] = [1, 8, 32];
const PIECES: i64 = 1_000_000_000;
const THRESHOLD: i64 = 5;

pub async fn run(lasting: Duration) -> Result<()> {
    let shop = Shop::open().await?;
    table::head("Hot stock: one product, one piece each", "", "share of bare");
    for buyers in BUYERS {
        let bare = closed_loop(buyers, lasting, async || shop.bare().await).await?;
        table::line("bare conditional update", buyers, &bare, Some(&bare));
        let reserved = closed_loop(buyers, lasting, async || shop.reserve().await).await?;
        table::line("reserve, in the process", buyers, &reserved, Some(&bare));
        let sold = closed_loop(buyers, lasting, async || shop.buy().await).await?;
        table::line("reserve + commit, in the process", buyers, &sold, Some(&bare));
        let remote = closed_loop(buyers, lasting, async || shop.call().await).await?;
        table::line("reserve + commit, gRPC over mutual TLS", buyers, &remote, Some(&bare));
    }
    println!("  A sale is two transactions that hold the row, so its share is at most 0.50.");
    Ok(())
}

/// An inventory with one product, reached in three ways. All use pools of the size
/// that the service has by default, on one server.
struct Shop {
    product: Uuid,
    pool: PgPool,
    core: Inventory,
    client: ReservationServiceClient<MeshChannel>,
    _platform: Platform,
    _database: TestDatabase,
    shutdown: Shutdown,
}

impl Shop {
    async fn open() -> Result<Self> {
        let (platform, database) = (Platform::start().await, testkit::database(&[]).await);
        let config = Config {
            host: platform.host("inventory"),
            database: database.config(),
            broker: events::BrokerConfig { amqp_url: testkit::vhost().await.into() },
            identity_url: platform.identity_url(),
            sweep_seconds: 3_600,
            reservation_retention_days: 30,
            low_stock_threshold: THRESHOLD,
        };
        let connections = config.database.database_max_connections;
        let retention = config.retention();
        let app = App::build(config, testkit::metrics()).await?;
        let (addr, shutdown) = (app.grpc_addr()?, Shutdown::new());
        tokio::spawn(app.run(shutdown.clone()));
        let channel = platform.channel("orders", addr, "inventory");
        let pool = PgPoolOptions::new().max_connections(connections).connect(&database.url).await?;
        let product = Uuid::now_v7();
        sqlx::query(
            "insert into stock (product_id, available, reserved, updated_at)
             values ($1, $2, 0, now())",
        )
        .bind(product)
        .bind(PIECES)
        .execute(&pool)
        .await?;
        let stock = Arc::new(PostgresStock::new(pool.clone(), THRESHOLD));
        let reservations = Arc::new(PostgresReservations::new(pool.clone(), THRESHOLD));
        let core = Inventory::new(stock, reservations, retention);
        let client = ReservationServiceClient::new(channel);
        Ok(Self { product, pool, core, client, _platform: platform, _database: database, shutdown })
    }

    async fn bare(&self) -> Result<()> {
        let taken = sqlx::query(
            "update stock set available = available - 1 where product_id = $1 and available >= 1",
        )
        .bind(self.product)
        .execute(&self.pool)
        .await?;
        ensure!(taken.rows_affected() == 1, "sold out");
        Ok(())
    }

    async fn reserve(&self) -> Result<()> {
        self.reserve_for(Uuid::now_v7()).await
    }

    async fn reserve_for(&self, order: Uuid) -> Result<()> {
        self.core.reserve(order, [(self.product, 1)], Ttl::hours(1)).await?;
        Ok(())
    }

    async fn buy(&self) -> Result<()> {
        let order = Uuid::now_v7();
        self.reserve_for(order).await?;
        Ok(self.core.commit(order).await?)
    }

    async fn call(&self) -> Result<()> {
        let order_id = Uuid::now_v7().to_string();
        let line = pb::Line { product_id: self.product.to_string(), quantity: 1 };
        let reserve = pb::ReserveRequest {
            order_id: order_id.clone(),
            lines: vec![line],
            ttl_seconds: 3_600,
            synthetic: false,
        };
        let mut client = self.client.clone();
        client.reserve(reserve).await?;
        client.commit(pb::CommitRequest { order_id }).await?;
        Ok(())
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

//! A running catalog service and the people who use it.

use std::net::SocketAddr;

use catalog::app::App;
use catalog::config::Config;
use grpc::MeshChannel;
use proto::catalog::v1 as pb;
use proto::catalog::v1::catalog_service_client::CatalogServiceClient;
use proto::google::r#type::Money;
use runtime::Shutdown;
use testkit::{Platform, TestDatabase, bearer, eventually};
use tonic::{Code, Request, Status};
use types::Currency;
use uuid::Uuid;

/// A catalog service of one test; it ends with the value.
pub struct World {
    pub database: TestDatabase,
    platform: Platform,
    addr: SocketAddr,
    shutdown: Shutdown,
    edge: MeshChannel,
    manager: String,
}

impl World {
    pub async fn start() -> Self {
        let (platform, database) = (Platform::start().await, testkit::database(&[]).await);
        let config = Config {
            host: platform.host("catalog"),
            database: database.config(),
            broker: events::BrokerConfig { amqp_url: testkit::vhost().await.into() },
            identity_url: platform.identity_url(),
            shop_currency: Currency::Eur,
        };
        let app = App::build(config, testkit::metrics()).await.unwrap();
        let (addr, shutdown) = (app.grpc_addr().unwrap(), Shutdown::new());
        tokio::spawn(app.run(shutdown.clone()));
        let edge = platform.channel("edge", addr, "catalog");
        let manager = platform.token(Uuid::now_v7(), &["manager"]);
        let world = Self { database, platform, addr, shutdown, edge, manager };
        world.warm_up().await;
        world
    }

    /// Connects and fetches keys, which takes a crowded machine longer than the
    /// deadline of the calls that the test is about.
    async fn warm_up(&self) {
        eventually("the service answers", async || {
            let refused = self.delete(&Uuid::now_v7().to_string()).await.unwrap_err();
            (refused.code() == Code::NotFound).then_some(())
        })
        .await;
    }

    /// As a workload of the mesh.
    pub fn from(&self, workload: &str) -> CatalogServiceClient<MeshChannel> {
        CatalogServiceClient::new(self.platform.channel(workload, self.addr, "catalog"))
    }

    /// Through the edge.
    pub fn edge(&self) -> CatalogServiceClient<MeshChannel> {
        CatalogServiceClient::new(self.edge.clone())
    }

    /// A request of somebody with this role.
    pub fn signed<T>(&self, role: &str, message: T) -> Request<T> {
        bearer(message, &self.platform.token(Uuid::now_v7(), &[role]))
    }

    /// A request of the manager.
    pub fn managed<T>(&self, message: T) -> Request<T> {
        bearer(message, &self.manager)
    }

    pub async fn try_create(&self, product: pb::Product) -> Result<pb::Product, Status> {
        let request = self.managed(pb::CreateProductRequest { product: Some(product) });
        Ok(self.edge().create_product(request).await?.into_inner())
    }

    pub async fn create(&self, product: pb::Product) -> pb::Product {
        self.try_create(product).await.unwrap()
    }

    /// Changes a product; `None` for a request without a mask.
    pub async fn try_update(
        &self,
        id: &str,
        product: pb::Product,
        mask: Option<&[&str]>,
    ) -> Result<pb::Product, Status> {
        let mask = mask.map(|paths| prost_types::FieldMask {
            paths: paths.iter().map(ToString::to_string).collect(),
        });
        let request = pb::UpdateProductRequest {
            product_id: id.to_owned(),
            product: Some(product),
            update_mask: mask,
        };
        Ok(self.edge().update_product(self.managed(request)).await?.into_inner())
    }

    pub async fn delete(&self, id: &str) -> Result<(), Status> {
        let request = pb::DeleteProductRequest { product_id: id.to_owned() };
        self.edge().delete_product(self.managed(request)).await.map(drop)
    }

    pub async fn get(&self, id: &str) -> Result<pb::Product, Status> {
        let request = pb::GetProductRequest { product_id: id.to_owned() };
        Ok(self.edge().get_product(request).await?.into_inner())
    }

    pub async fn list(
        &self,
        request: pb::ListProductsRequest,
    ) -> Result<pb::ListProductsResponse, Status> {
        Ok(self.edge().list_products(request).await?.into_inner())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A price in cents.
pub fn eur(minor: i64) -> Option<Money> {
    let nanos = i32::try_from(minor % 100).unwrap() * 10_000_000;
    Some(Money { currency_code: "EUR".to_owned(), units: minor / 100, nanos })
}

/// A product that may be created.
pub fn pan() -> pb::Product {
    pb::Product {
        sku: "KIT-0042".to_owned(),
        name: "Frying pan".to_owned(),
        description: "Cast iron, 28 cm".to_owned(),
        category: "kitchen".to_owned(),
        price: eur(3_999),
        image_url: "/images/pan.jpg".to_owned(),
        ..pb::Product::default()
    }
}

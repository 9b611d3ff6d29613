//! The composition root: the only place that knows every concrete type.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use grpc::{Host, Mesh, RemoteKeys, Server, Verifier};
use proto::cart::v1::cart_checkout_service_server::CartCheckoutServiceServer;
use proto::cart::v1::cart_service_server::CartServiceServer;
use proto::cart::v1::personal_data_service_server::PersonalDataServiceServer;
use runtime::{Metrics, Readiness, Shutdown};

use crate::api::{CartApi, CheckoutApi, PersonalDataApi};
use crate::config::Config;
use crate::core::Carts;
use crate::infrastructure::{CatalogProducts, RedisCarts};

/// The cart service, built but not yet running.
pub struct App {
    host: Host,
}

impl App {
    /// Connects to what the service needs and binds its ports.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let deadline = config.host.runtime.startup_deadline();
        let store = Arc::new(RedisCarts::connect(&config, deadline).await?);
        let mesh = Mesh::load(&config.host.mesh)?;
        let keys = RemoteKeys::new(mesh.channel(&config.identity_url, "identity")?);
        let verifier = Verifier::new(&config.host.token, keys);
        let products = CatalogProducts::new(mesh.channel(&config.catalog_url, "catalog")?);
        let carts = Arc::new(Carts::new(store.clone(), Arc::new(products)));
        let server = Server::bind("cart", &config.host.server, &mesh, verifier)
            .await?
            .add(CartServiceServer::new(CartApi::new(carts.clone())))
            .add(CartCheckoutServiceServer::new(CheckoutApi::new(carts)))
            .add(PersonalDataServiceServer::new(PersonalDataApi::new(store.clone())));
        let readiness = Readiness::default().check("redis", move || {
            let store = store.clone();
            async move { store.is_up().await }
        });
        Ok(Self { host: Host::bind(&config.host, server, readiness, metrics).await? })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        self.host.run(shutdown).await
    }
}

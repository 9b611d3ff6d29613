//! A cart service with its surroundings, and a customer in front of it.

use std::net::SocketAddr;

use cart::app::App;
use cart::config::Config;
use grpc::MeshChannel;
use proto::cart::v1::cart_checkout_service_client::CartCheckoutServiceClient;
use proto::cart::v1::cart_service_client::CartServiceClient;
use proto::cart::v1::{AddItemRequest, Cart, GetCartRequest};
use runtime::Shutdown;
use testkit::{Platform, bearer};
use tonic::Status;
use uuid::Uuid;

use crate::catalog::Shelf;

/// The cart service as the edge and the orders service see it.
pub struct Shop {
    pub platform: Platform,
    pub shelf: Shelf,
    pub carts: CartServiceClient<MeshChannel>,
    pub checkout: CartCheckoutServiceClient<MeshChannel>,
    addr: SocketAddr,
    shutdown: Shutdown,
}

impl Shop {
    pub async fn open() -> Self {
        let (platform, shelf, shutdown) =
            (Platform::start().await, Shelf::default(), Shutdown::new());
        let catalog = shelf.serve(&platform, shutdown.clone()).await;
        let config = Config {
            host: platform.host("cart"),
            identity_url: platform.identity_url(),
            catalog_url: format!("https://{catalog}"),
            redis_url: testkit::redis_url().into(),
            redis_ca: None,
        };
        let app = App::build(config, testkit::metrics()).await.unwrap();
        let addr = app.grpc_addr().unwrap();
        tokio::spawn(app.run(shutdown.clone()));
        let carts = CartServiceClient::new(platform.channel("edge", addr, "cart"));
        let checkout = CartCheckoutServiceClient::new(platform.channel("orders", addr, "cart"));
        Self { platform, shelf, carts, checkout, addr, shutdown }
    }

    /// Where the cart service is.
    pub fn carts_addr(&self) -> SocketAddr {
        self.addr
    }

    /// A new customer's id and token.
    pub fn customer(&self) -> (Uuid, String) {
        let user = Uuid::now_v7();
        (user, self.platform.token(user, &["customer"]))
    }

    pub async fn add(&self, token: &str, product: Uuid, quantity: i32) -> Result<Cart, Status> {
        let message = AddItemRequest { product_id: product.to_string(), quantity };
        Ok(self.carts.clone().add_item(bearer(message, token)).await?.into_inner())
    }

    pub async fn cart(&self, token: &str) -> Cart {
        let answer = self.carts.clone().get_cart(bearer(GetCartRequest {}, token)).await;
        answer.unwrap().into_inner()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

//! Carts, by gRPC.

use async_trait::async_trait;
use grpc::{MeshChannel, convert};
use proto::cart::v1 as pb;
use proto::cart::v1::cart_checkout_service_client::CartCheckoutServiceClient;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Attempt, CartLine, Carts};
use crate::domain::Order;
use crate::infrastructure::statuses::{setback, unreadable};

/// The cart service.
pub struct GrpcCarts {
    client: CartCheckoutServiceClient<MeshChannel>,
}

impl GrpcCarts {
    pub fn new(channel: MeshChannel) -> Self {
        Self { client: CartCheckoutServiceClient::new(channel) }
    }
}

#[async_trait]
impl Carts for GrpcCarts {
    async fn read(&self, user: Uuid) -> Result<Vec<CartLine>, Error> {
        let request = pb::ReadCartRequest { user_id: user.to_string() };
        let answer = self.client.clone().read_cart(request).await;
        let pb::ReadCartResponse { lines } =
            answer.map_err(|status| unreadable("cart", status))?.into_inner();
        lines.into_iter().map(line).collect()
    }

    async fn settle(&self, order: &Order) -> Attempt {
        let line = |line: &crate::domain::OrderLine| pb::CartLine {
            product_id: line.product_id.to_string(),
            quantity: line.quantity,
        };
        let request = pb::SettleCartRequest {
            user_id: order.user_id.to_string(),
            order_id: order.id.to_string(),
            lines: order.lines.iter().map(line).collect(),
        };
        self.client.clone().settle_cart(request).await.map_err(setback)?;
        Ok(())
    }
}

fn line(line: pb::CartLine) -> Result<CartLine, Error> {
    let pb::CartLine { product_id, quantity } = line;
    let strange = |_| Error::Internal("cart answered a product id that is none".to_owned());
    let product_id = convert::parse_id("product_id", &product_id).map_err(strange)?;
    Ok(CartLine { product_id, quantity })
}

//! The API for the checkout saga.

use std::sync::Arc;

use grpc::Problem;
use grpc::convert::parse_id;
use proto::cart::v1::cart_checkout_service_server::CartCheckoutService;
use proto::cart::v1::{
    CartLine, ReadCartRequest, ReadCartResponse, SettleCartRequest, SettleCartResponse,
};
use tonic::{Request, Response, Status};

use crate::core::Carts;
use crate::domain::Line;

/// Carts of any user, for the orders service.
pub struct CheckoutApi {
    carts: Arc<Carts>,
}

impl CheckoutApi {
    pub fn new(carts: Arc<Carts>) -> Self {
        Self { carts }
    }
}

#[tonic::async_trait]
impl CartCheckoutService for CheckoutApi {
    async fn read_cart(
        &self,
        request: Request<ReadCartRequest>,
    ) -> Result<Response<ReadCartResponse>, Status> {
        let ReadCartRequest { user_id } = request.into_inner();
        let lines = self.carts.read(parse_id("user_id", &user_id)?).await;
        let lines = lines
            .map_err(Problem::from)?
            .into_iter()
            .map(|line| CartLine { product_id: line.product.to_string(), quantity: line.quantity });
        Ok(Response::new(ReadCartResponse { lines: lines.collect() }))
    }

    async fn settle_cart(
        &self,
        request: Request<SettleCartRequest>,
    ) -> Result<Response<SettleCartResponse>, Status> {
        let SettleCartRequest { user_id, order_id, lines } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let order = parse_id("order_id", &order_id)?;
        let lines = lines.into_iter().map(|CartLine { product_id, quantity }| {
            Ok(Line { product: parse_id("lines.product_id", &product_id)?, quantity })
        });
        let lines = lines.collect::<Result<Vec<_>, Problem>>()?;
        self.carts.settle(user, order, &lines).await.map_err(Problem::from)?;
        Ok(Response::new(SettleCartResponse {}))
    }
}

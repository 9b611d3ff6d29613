//! `CheckoutPaymentService`, for the saga.

use grpc::Problem;
use grpc::convert::{parse_id, parse_money};
use proto::payments::v1 as pb;
use proto::payments::v1::checkout_payment_service_server::CheckoutPaymentService;
use tonic::{Request, Response, Status};

use super::convert::{problem, to_payment};
use crate::core::{Order, Payments};
use crate::domain::Token;

/// The service.
pub struct CheckoutApi {
    core: Payments,
}

impl CheckoutApi {
    pub fn new(core: Payments) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl CheckoutPaymentService for CheckoutApi {
    async fn authorize(
        &self,
        request: Request<pb::AuthorizeRequest>,
    ) -> Result<Response<pb::Payment>, Status> {
        let pb::AuthorizeRequest { order_id, user_id, amount, payment_token, synthetic } =
            request.into_inner();
        let amount = amount.ok_or_else(|| Problem::field("amount", "is needed"))?;
        let order = Order {
            order_id: parse_id("order_id", &order_id)?,
            user_id: parse_id("user_id", &user_id)?,
            amount: parse_money("amount", &amount)?,
            token: Token::new(payment_token),
            synthetic,
        };
        let payment = self.core.authorize(order).await.map_err(problem)?;
        Ok(Response::new(to_payment(&payment)))
    }

    async fn capture(
        &self,
        request: Request<pb::CaptureRequest>,
    ) -> Result<Response<pb::Payment>, Status> {
        let pb::CaptureRequest { order_id } = request.into_inner();
        let order_id = parse_id("order_id", &order_id)?;
        let payment = self.core.capture(order_id).await.map_err(problem)?;
        Ok(Response::new(to_payment(&payment)))
    }

    async fn reverse(
        &self,
        request: Request<pb::ReverseRequest>,
    ) -> Result<Response<pb::ReverseResponse>, Status> {
        let pb::ReverseRequest { order_id } = request.into_inner();
        let order_id = parse_id("order_id", &order_id)?;
        let payment = self.core.reverse(order_id).await.map_err(problem)?;
        Ok(Response::new(pb::ReverseResponse { payment: payment.as_ref().map(to_payment) }))
    }
}

//! Payments, by gRPC.

use async_trait::async_trait;
use grpc::{MeshChannel, convert};
use proto::payments::v1 as pb;
use proto::payments::v1::checkout_payment_service_client::CheckoutPaymentServiceClient;
use uuid::Uuid;

use crate::core::ports::{Attempt, Payments, Setback};
use crate::domain::{Order, PaymentToken};
use crate::infrastructure::statuses::setback;

/// The payments service.
pub struct GrpcPayments {
    client: CheckoutPaymentServiceClient<MeshChannel>,
}

impl GrpcPayments {
    pub fn new(channel: MeshChannel) -> Self {
        Self { client: CheckoutPaymentServiceClient::new(channel) }
    }
}

#[async_trait]
impl Payments for GrpcPayments {
    async fn authorize(&self, order: &Order, token: &PaymentToken) -> Attempt<Uuid> {
        let request = pb::AuthorizeRequest {
            order_id: order.id.to_string(),
            user_id: order.user_id.to_string(),
            amount: Some(convert::money(order.total)),
            payment_token: token.0.clone(),
            synthetic: order.synthetic,
        };
        let answer = self.client.clone().authorize(request).await.map_err(setback)?;
        let strange = |_| Setback::Unknown("payments answered an id that is none".to_owned());
        convert::parse_id("payment_id", &answer.into_inner().payment_id).map_err(strange)
    }

    async fn capture(&self, order: Uuid) -> Attempt {
        let request = pb::CaptureRequest { order_id: order.to_string() };
        self.client.clone().capture(request).await.map_err(setback)?;
        Ok(())
    }

    async fn reverse(&self, order: Uuid) -> Attempt {
        let request = pb::ReverseRequest { order_id: order.to_string() };
        self.client.clone().reverse(request).await.map_err(setback)?;
        Ok(())
    }
}

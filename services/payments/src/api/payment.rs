//! `PaymentService`, for people and for the provider.

use grpc::Caller;
use grpc::convert::{parse_id, parse_money};
use proto::payments::v1 as pb;
use proto::payments::v1::payment_service_server::PaymentService;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::{problem, to_payment};
use crate::core::{Payments, Viewer};
use crate::domain::{NewRefund, Requester};

/// The service.
pub struct PaymentApi {
    core: Payments,
}

impl PaymentApi {
    pub fn new(core: Payments) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl PaymentService for PaymentApi {
    async fn get_payment(
        &self,
        request: Request<pb::GetPaymentRequest>,
    ) -> Result<Response<pb::Payment>, Status> {
        let user_id = Caller::user_of(&request)?.id;
        let viewer = Viewer { user_id, sees_all: Caller::of(&request)?.sees_all };
        let pb::GetPaymentRequest { payment_id } = request.into_inner();
        let id = parse_id("payment_id", &payment_id)?;
        let payment = self.core.get(id, viewer).await.map_err(problem)?;
        Ok(Response::new(to_payment(&payment)))
    }

    async fn refund_payment(
        &self,
        request: Request<pb::RefundPaymentRequest>,
    ) -> Result<Response<pb::Payment>, Status> {
        let requester = Requester {
            user_id: Caller::user_of(&request)?.id,
            idempotency_key: Caller::key_of(&request)?.to_owned(),
        };
        let pb::RefundPaymentRequest { payment_id, amount, reason } = request.into_inner();
        let refund = NewRefund {
            id: Uuid::now_v7(),
            payment_id: parse_id("payment_id", &payment_id)?,
            amount: amount.map(|a| parse_money("amount", &a)).transpose()?,
            reason,
            requester: Some(requester),
        };
        let payment = self.core.refund(refund).await.map_err(problem)?;
        Ok(Response::new(to_payment(&payment)))
    }

    async fn receive_webhook(
        &self,
        request: Request<pb::ReceiveWebhookRequest>,
    ) -> Result<Response<pb::ReceiveWebhookResponse>, Status> {
        let header = self.core.reader.header();
        let signature = request.metadata().get(header).and_then(|v| v.to_str().ok());
        let signature = signature.map(ToOwned::to_owned);
        let pb::ReceiveWebhookRequest { provider, payload } = request.into_inner();
        let body = payload.unwrap_or_default().data;
        self.core.receive_webhook(&provider, signature.as_deref(), &body).await.map_err(problem)?;
        Ok(Response::new(pb::ReceiveWebhookResponse {}))
    }
}

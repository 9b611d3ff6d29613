//! `PaymentService`, for people and for the provider.

use grpc::convert::{parse_id, parse_money, parse_timestamp};
use grpc::{Caller, Problem};
use proto::payments::v1 as pb;
use proto::payments::v1::payment_service_server::PaymentService;
use time::{Duration, OffsetDateTime};
use tonic::{Request, Response, Status};
use types::PageToken;
use uuid::Uuid;

use super::convert::{problem, to_page, to_payment};
use crate::core::ports::Window;
use crate::core::{Payments, Viewer};
use crate::domain::{NewRefund, Requester};

/// A page of a comparison goes on this long. The slice that is begun then is still
/// compared, within the method's deadline.
const TIME_FOR_A_PAGE: std::time::Duration = std::time::Duration::from_secs(8);

/// The service.
pub struct PaymentApi {
    core: Payments,
    /// The age from which a payment is compared with the provider's books.
    grace: Duration,
}

impl PaymentApi {
    pub fn new(core: Payments, grace: Duration) -> Self {
        Self { core, grace }
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

    async fn reconcile_payments(
        &self,
        request: Request<pb::ReconcilePaymentsRequest>,
    ) -> Result<Response<pb::ReconcilePaymentsResponse>, Status> {
        let pb::ReconcilePaymentsRequest { start_time, end_time, page_token } =
            request.into_inner();
        let needed = |field| Problem::field(field, "is needed");
        let start = start_time.ok_or_else(|| needed("start_time"))?;
        let end = end_time.ok_or_else(|| needed("end_time"))?;
        let start = parse_timestamp("start_time", &start)?;
        let end = parse_timestamp("end_time", &end)?;
        let mut window = Window::new(start, end).map_err(problem)?;
        if let Some(rest) = rest_of(window, &page_token)? {
            window.start = rest;
        }
        let compared = self.core.reconcile(window, self.grace, TIME_FOR_A_PAGE).await;
        let (findings, next) = compared.map_err(problem)?;
        let next_page_token = next.map(|t| PageToken::encode(&t.unix_timestamp()));
        Ok(Response::new(to_page(findings, next_page_token.unwrap_or_default())))
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

/// Where a page of the window begins.
fn rest_of(window: Window, page_token: &str) -> Result<Option<OffsetDateTime>, Problem> {
    let text = "must be one that was answered before for this window";
    let invalid = || Problem::invalid("PAGE_TOKEN_INVALID", text).with_field("page_token", text);
    let Some(seconds) = PageToken::decode::<i64>(page_token).map_err(|_| invalid())? else {
        return Ok(None);
    };
    let rest = OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| invalid())?;
    if rest <= window.start || rest >= window.end {
        return Err(invalid());
    }
    Ok(Some(rest))
}

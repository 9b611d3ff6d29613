//! What is kept about a person, for identity: exported and erased.

use grpc::Problem;
use grpc::convert::{money, parse_id};
use personal::Export;
use proto::payments::v1 as pb;
use proto::payments::v1::personal_data_service_server::PersonalDataService;
use serde_json::{Value, json};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert::{problem, to_payment};
use crate::core::Payments;
use crate::core::ports::RefundRecord;
use crate::domain::Payment;

/// The service.
pub struct PersonalDataApi {
    core: Payments,
}

impl PersonalDataApi {
    pub fn new(core: Payments) -> Self {
        Self { core }
    }

    /// Page by page: no more is in memory than the document and one page.
    async fn add_payments(&self, user: Uuid, export: &mut Export) -> Result<(), Problem> {
        let mut after = Uuid::nil();
        loop {
            let page = self.core.page_of(user, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id;
            for payment in &page {
                if !export.add("payments", payment_entry(payment)?) {
                    return Ok(());
                }
            }
        }
    }
}

#[tonic::async_trait]
impl PersonalDataService for PersonalDataApi {
    async fn export_personal_data(
        &self,
        request: Request<pb::ExportPersonalDataRequest>,
    ) -> Result<Response<pb::ExportPersonalDataResponse>, Status> {
        let pb::ExportPersonalDataRequest { user_id } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let mut export = Export::default();
        self.add_payments(user, &mut export).await?;
        for refund in self.core.refunds_of(user).await.map_err(problem)? {
            export.add("refunds", refund_entry(refund)?);
        }
        Ok(Response::new(pb::ExportPersonalDataResponse { json: export.into_json() }))
    }

    async fn erase_personal_data(
        &self,
        request: Request<pb::ErasePersonalDataRequest>,
    ) -> Result<Response<pb::ErasePersonalDataResponse>, Status> {
        let pb::ErasePersonalDataRequest { user_id } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let complete = self.core.erase(user).await.map_err(problem)?;
        Ok(Response::new(pb::ErasePersonalDataResponse { complete }))
    }
}

/// As people see it, with what the provider knows it by.
fn payment_entry(payment: &Payment) -> Result<Value, Problem> {
    let mut entry = personal::json("stoa.payments.v1.Payment", &to_payment(payment))
        .map_err(Problem::internal)?;
    if let (Some(fields), Some(charge)) = (entry.as_object_mut(), &payment.charge_id) {
        fields.insert("provider_charge_id".to_owned(), json!(charge));
    }
    Ok(entry)
}

fn refund_entry(refund: RefundRecord) -> Result<Value, Problem> {
    let RefundRecord { id, payment_id, amount, state, reason, created_at, requested } = refund;
    let amount = personal::json("google.type.Money", &money(amount)).map_err(Problem::internal)?;
    Ok(json!({
        "refund_id": id,
        "payment_id": payment_id,
        "amount": amount,
        "state": state,
        "reason": reason,
        "requested_by_you": requested,
        "create_time": personal::moment(created_at),
    }))
}

//! What is kept about a person, for identity: exported and erased.

use std::sync::Arc;

use grpc::Problem;
use grpc::convert::parse_id;
use personal::Export;
use proto::orders::v1 as pb;
use proto::orders::v1::personal_data_service_server::PersonalDataService;
use serde_json::json;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use crate::core::Orders;
use crate::core::ports::{Done, Traces};

/// The service `stoa.orders.v1.PersonalDataService`.
pub struct PersonalDataApi {
    core: Arc<Orders>,
}

impl PersonalDataApi {
    pub fn new(core: Arc<Orders>) -> Self {
        Self { core }
    }

    /// Page by page: no more is in memory than the document and one page.
    async fn add_orders(&self, user: Uuid, export: &mut Export) -> Result<(), Problem> {
        let mut after = None;
        loop {
            let page = self.core.page_of(user, after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for order in page {
                let order = convert::order(order)?;
                let entry = personal::json("stoa.orders.v1.Order", &order);
                if !export.add("orders", entry.map_err(Problem::internal)?) {
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
        self.add_orders(user, &mut export).await?;
        add_traces(self.core.traces(user).await.map_err(Problem::from)?, &mut export);
        Ok(Response::new(pb::ExportPersonalDataResponse { json: export.into_json() }))
    }

    async fn erase_personal_data(
        &self,
        request: Request<pb::ErasePersonalDataRequest>,
    ) -> Result<Response<pb::ErasePersonalDataResponse>, Status> {
        let pb::ErasePersonalDataRequest { user_id } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let complete = self.core.erase(user).await.map_err(Problem::from)?;
        Ok(Response::new(pb::ErasePersonalDataResponse { complete }))
    }
}

fn add_traces(traces: Traces, export: &mut Export) {
    let Traces { keys, deeds } = traces;
    for (key, order, at) in keys {
        let entry = json!({"key": key, "order_id": order, "create_time": personal::moment(at)});
        export.add("idempotency_keys", entry);
    }
    for (Done { at, deed, action, outcome }, target) in deeds {
        let why = deed.why;
        let entry = json!({"time": personal::moment(at), "action": action, "target": target,
            "why": why, "outcome": outcome});
        export.add("operator_actions", entry);
    }
}

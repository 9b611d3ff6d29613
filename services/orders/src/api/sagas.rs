//! The API for operators by gRPC: parse, do, convert.

use std::sync::Arc;

use grpc::convert::{parse_id, timestamp};
use grpc::{Caller, Problem};
use proto::orders::v1 as pb;
use proto::orders::v1::saga_service_server::SagaService;
use proto::types::v1 as shapes;
use tonic::{Request, Response, Status};
use types::{PageSize, PageToken};

use super::{MARGIN, bad_token, convert, deadline};
use crate::core::Orders;
use crate::core::ports::{Deed, Done, Filter, Overview};
use crate::domain::{Direction, Kind, Step};

/// The service `stoa.orders.v1.SagaService`.
pub struct SagasApi {
    core: Arc<Orders>,
}

impl SagasApi {
    pub fn new(core: Arc<Orders>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl SagaService for SagasApi {
    async fn list_sagas(
        &self,
        request: Request<pb::ListSagasRequest>,
    ) -> Result<Response<pb::ListSagasResponse>, Status> {
        let pb::ListSagasRequest { filter, page_size, page_token } = request.into_inner();
        let filter = match pb::SagaFilter::try_from(filter).unwrap_or_default() {
            pb::SagaFilter::Unspecified => Filter::All,
            pb::SagaFilter::Running => Filter::Driven,
            pb::SagaFilter::Overdue => Filter::Overdue,
        };
        let size = PageSize::from_request(page_size);
        let after = PageToken::decode(&page_token).map_err(bad_token)?;
        let sagas = self.core.sagas(filter, after, size.probe()).await.map_err(Problem::from)?;
        let (sagas, next_page_token) = size.cut(sagas, |last| last.order_id);
        let sagas = sagas.into_iter().map(saga).collect();
        Ok(Response::new(pb::ListSagasResponse { sagas, next_page_token }))
    }

    async fn get_saga(
        &self,
        request: Request<pb::GetSagaRequest>,
    ) -> Result<Response<pb::Saga>, Status> {
        let pb::GetSagaRequest { order_id } = request.into_inner();
        let order = parse_id("order_id", &order_id)?;
        let found = self.core.saga(order).await.map_err(Problem::from)?;
        Ok(Response::new(saga(found)))
    }

    async fn retry_saga(
        &self,
        request: Request<pb::RetrySagaRequest>,
    ) -> Result<Response<pb::Saga>, Status> {
        let until = deadline("/stoa.orders.v1.SagaService/RetrySaga") - MARGIN;
        let actor = Caller::user_of(&request)?.id;
        let pb::RetrySagaRequest { order_id, reason: why } = request.into_inner();
        let order = parse_id("order_id", &order_id)?;
        let deed = Deed { actor, why };
        let due = self.core.retry_saga(order, deed, until).await.map_err(Problem::from)?;
        Ok(Response::new(saga(due)))
    }

    async fn compensate_saga(
        &self,
        request: Request<pb::CompensateSagaRequest>,
    ) -> Result<Response<pb::Saga>, Status> {
        let until = deadline("/stoa.orders.v1.SagaService/CompensateSaga") - MARGIN;
        let actor = Caller::user_of(&request)?.id;
        let pb::CompensateSagaRequest { order_id, reason: why } = request.into_inner();
        let order = parse_id("order_id", &order_id)?;
        let deed = Deed { actor, why };
        let turned = self.core.compensate_saga(order, deed, until).await.map_err(Problem::from)?;
        Ok(Response::new(saga(turned)))
    }
}

fn saga(saga: Overview) -> pb::Saga {
    let Overview {
        order_id,
        order_state,
        kind,
        direction,
        step,
        ended,
        reason,
        attempts,
        last_error,
        started_at,
        deadline_at,
        overdue,
        next_run_at,
        leased_until,
        deeds,
    } = saga;
    pb::Saga {
        order_id: order_id.to_string(),
        order_state: convert::state(order_state).into(),
        kind: match kind {
            Kind::Checkout => pb::SagaKind::Checkout,
            Kind::Cancel => pb::SagaKind::Cancel,
        }
        .into(),
        direction: match direction {
            Direction::Forward => pb::SagaDirection::Forward,
            Direction::Backward => pb::SagaDirection::Backward,
        }
        .into(),
        step: match step {
            Step::Reserve => pb::SagaStep::Reserve,
            Step::Pay => pb::SagaStep::Pay,
            Step::Confirm => pb::SagaStep::Confirm,
            Step::Settle => pb::SagaStep::Settle,
        }
        .into(),
        ended,
        attempts,
        last_error: last_error.unwrap_or_default(),
        reason: reason.unwrap_or_default(),
        start_time: Some(timestamp(started_at)),
        deadline_time: Some(timestamp(deadline_at)),
        overdue,
        next_run_time: next_run_at.map(timestamp),
        lease_end_time: leased_until.map(timestamp),
        actions: deeds.into_iter().map(action).collect(),
    }
}

fn action(done: Done) -> shapes::OperatorAction {
    let Done { at, deed: Deed { actor, why }, action, outcome } = done;
    shapes::OperatorAction {
        time: Some(timestamp(at)),
        actor_id: actor.to_string(),
        action,
        reason: why,
        outcome,
    }
}

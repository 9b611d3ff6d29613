//! The gRPC API: parse, call a use case, convert.

mod convert;

use std::sync::Arc;

use grpc::convert::{parse_id, timestamp};
use grpc::{Caller, Problem};
use proto::inventory::v1 as pb;
use proto::inventory::v1::inventory_service_server::InventoryService;
use proto::inventory::v1::reservation_service_server::ReservationService;
use time::Duration;
use tonic::{Request, Response, Status};

use crate::core::{Inventory, figures};

/// Serves the use cases by gRPC.
pub struct InventoryApi {
    core: Arc<Inventory>,
}

impl InventoryApi {
    pub fn new(core: Arc<Inventory>) -> Self {
        Self { core }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl InventoryService for InventoryApi {
    async fn get_stock(&self, request: Request<pb::GetStockRequest>) -> Answer<pb::Stock> {
        let pb::GetStockRequest { product_id } = request.into_inner();
        let product = parse_id("product_id", &product_id)?;
        let stock = self.core.stock(product).await.map_err(Problem::from)?;
        Ok(Response::new(convert::stock(stock)))
    }

    async fn adjust_stock(&self, request: Request<pb::AdjustStockRequest>) -> Answer<pb::Stock> {
        let user = Caller::user_of(&request)?.id;
        let key = Caller::key_of(&request)?.to_owned();
        let adjustment = convert::adjustment(user, key, request.into_inner())?;
        let stock = self.core.adjust(&adjustment).await.map_err(Problem::from)?;
        Ok(Response::new(convert::stock(stock)))
    }
}

#[tonic::async_trait]
impl ReservationService for InventoryApi {
    async fn reserve(&self, request: Request<pb::ReserveRequest>) -> Answer<pb::ReserveResponse> {
        let pb::ReserveRequest { order_id, lines, ttl_seconds, synthetic } = request.into_inner();
        let order = parse_id("order_id", &order_id)?;
        let lines = convert::lines(lines)?;
        let ttl = Duration::seconds(ttl_seconds.into());
        let reserved = self.core.reserve(order, lines, ttl).await;
        if let Err(error) = &reserved
            && !synthetic
        {
            figures::count(error);
        }
        let expires = reserved.map_err(Problem::from)?;
        Ok(Response::new(pb::ReserveResponse { expire_time: Some(timestamp(expires)) }))
    }

    async fn commit(&self, request: Request<pb::CommitRequest>) -> Answer<pb::CommitResponse> {
        let pb::CommitRequest { order_id } = request.into_inner();
        let order = parse_id("order_id", &order_id)?;
        self.core.commit(order).await.map_err(Problem::from)?;
        Ok(Response::new(pb::CommitResponse {}))
    }

    async fn release(&self, request: Request<pb::ReleaseRequest>) -> Answer<pb::ReleaseResponse> {
        let pb::ReleaseRequest { order_id } = request.into_inner();
        let order = parse_id("order_id", &order_id)?;
        self.core.release(order).await.map_err(Problem::from)?;
        Ok(Response::new(pb::ReleaseResponse {}))
    }
}

//! Stock, by gRPC.

use std::time::Duration;

use async_trait::async_trait;
use grpc::MeshChannel;
use proto::inventory::v1 as pb;
use proto::inventory::v1::reservation_service_client::ReservationServiceClient;
use uuid::Uuid;

use crate::core::ports::{Attempt, Stock};
use crate::domain::{Order, OrderLine};
use crate::infrastructure::statuses::setback;

/// The inventory service.
pub struct GrpcStock {
    client: ReservationServiceClient<MeshChannel>,
    ttl_seconds: i32,
}

impl GrpcStock {
    /// Reservations hold for `ttl`: much longer than a checkout may take.
    pub fn new(channel: MeshChannel, ttl: Duration) -> Self {
        let ttl_seconds = i32::try_from(ttl.as_secs()).unwrap_or(i32::MAX);
        Self { client: ReservationServiceClient::new(channel), ttl_seconds }
    }
}

#[async_trait]
impl Stock for GrpcStock {
    async fn reserve(&self, order: &Order) -> Attempt {
        let line = |line: &OrderLine| pb::Line {
            product_id: line.product_id.to_string(),
            quantity: line.quantity,
        };
        let request = pb::ReserveRequest {
            order_id: order.id.to_string(),
            lines: order.lines.iter().map(line).collect(),
            ttl_seconds: self.ttl_seconds,
            synthetic: order.synthetic,
        };
        self.client.clone().reserve(request).await.map_err(setback)?;
        Ok(())
    }

    async fn commit(&self, order: Uuid) -> Attempt {
        let request = pb::CommitRequest { order_id: order.to_string() };
        self.client.clone().commit(request).await.map_err(setback)?;
        Ok(())
    }

    async fn release(&self, order: Uuid) -> Attempt {
        let request = pb::ReleaseRequest { order_id: order.to_string() };
        self.client.clone().release(request).await.map_err(setback)?;
        Ok(())
    }
}

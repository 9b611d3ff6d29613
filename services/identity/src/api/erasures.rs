//! Erasures, as operators see and repeat them, by gRPC.

use std::sync::Arc;

use grpc::{Caller, Problem};
use proto::identity::v1 as pb;
use proto::identity::v1::erasure_service_server::ErasureService;
use time::OffsetDateTime;
use tonic::{Request, Response, Status};
use types::{PageSize, PageToken};
use uuid::Uuid;

use super::Answer;
use super::origin::origin;
use crate::core::Erasure;
use crate::core::ports::ErasureRow;

/// Serves what operators do with [`Erasure`] by gRPC.
pub struct ErasureApi {
    core: Arc<Erasure>,
}

impl ErasureApi {
    pub fn new(core: Arc<Erasure>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl ErasureService for ErasureApi {
    async fn list_erasures(
        &self,
        request: Request<pb::ListErasuresRequest>,
    ) -> Answer<pb::ListErasuresResponse> {
        let pb::ListErasuresRequest { start_time, page_size, page_token } = request.into_inner();
        let since = start_time.map(|time| grpc::convert::parse_timestamp("start_time", &time));
        let size = PageSize::from_request(page_size);
        let rows = self.core.list(since.transpose()?, size, cursor(&page_token)?).await;
        let last = |row: &ErasureRow| (micros(row.requested_at), row.user);
        let (rows, next_page_token) = size.cut(rows.map_err(Problem::from)?, last);
        let erasures = rows.into_iter().map(erasure).collect();
        Ok(Response::new(pb::ListErasuresResponse { erasures, next_page_token }))
    }

    async fn repeat_erasures(
        &self,
        request: Request<pb::RepeatErasuresRequest>,
    ) -> Answer<pb::RepeatErasuresResponse> {
        let (operator, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::RepeatErasuresRequest { user_ids, reason } = request.into_inner();
        let id = |(i, id): (usize, &String)| grpc::convert::parse_id(&format!("user_ids[{i}]"), id);
        let users: Vec<Uuid> = user_ids.iter().enumerate().map(id).collect::<Result<_, _>>()?;
        let back = self.core.repeat(&users, &reason, operator, &origin).await;
        let count = |n: usize| i32::try_from(n).map_err(Problem::internal);
        let (erasure_count, account_count) =
            (count(users.len())?, count(back.map_err(Problem::from)?)?);
        Ok(Response::new(pb::RepeatErasuresResponse { erasure_count, account_count }))
    }
}

/// As the database keeps it.
fn micros(time: OffsetDateTime) -> i128 {
    time.unix_timestamp_nanos() / 1_000
}

fn cursor(page_token: &str) -> Result<Option<(OffsetDateTime, Uuid)>, Status> {
    let invalid = |text: String| Problem::invalid("PAGE_TOKEN_INVALID", text);
    let cursor =
        PageToken::decode::<(i128, Uuid)>(page_token).map_err(|e| invalid(e.to_string()))?;
    let Some((micros, user)) = cursor else { return Ok(None) };
    let nanos = micros.saturating_mul(1_000);
    let time = OffsetDateTime::from_unix_timestamp_nanos(nanos);
    Ok(Some((time.map_err(|e| invalid(e.to_string()))?, user)))
}

fn erasure(row: ErasureRow) -> pb::Erasure {
    let ErasureRow { user, requested_at, finished_at } = row;
    pb::Erasure {
        user_id: user.to_string(),
        request_time: Some(grpc::convert::timestamp(requested_at)),
        finish_time: finished_at.map(grpc::convert::timestamp),
    }
}

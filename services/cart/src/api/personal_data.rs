//! What is kept about a person, for identity: exported and erased.

use std::sync::Arc;

use grpc::Problem;
use grpc::convert::parse_id;
use personal::Export;
use proto::cart::v1 as pb;
use proto::cart::v1::personal_data_service_server::PersonalDataService;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use crate::core::{Kept, People};
use crate::domain::Line;

/// Serves identity.
pub struct PersonalDataApi {
    people: Arc<dyn People>,
}

impl PersonalDataApi {
    pub fn new(people: Arc<dyn People>) -> Self {
        Self { people }
    }
}

#[tonic::async_trait]
impl PersonalDataService for PersonalDataApi {
    /// A cart is small: it is read at once.
    async fn export_personal_data(
        &self,
        request: Request<pb::ExportPersonalDataRequest>,
    ) -> Result<Response<pb::ExportPersonalDataResponse>, Status> {
        let pb::ExportPersonalDataRequest { user_id } = request.into_inner();
        let kept = self.people.kept(parse_id("user_id", &user_id)?).await;
        let Kept { lines, settled } = kept.map_err(Problem::from)?;
        let mut export = Export::default();
        for (line, at) in lines {
            export.add("items", item(line, at)?);
        }
        for (order, at) in settled {
            let entry = json!({"order_id": order, "time": personal::moment(at)});
            export.add("settled_orders", entry);
        }
        Ok(Response::new(pb::ExportPersonalDataResponse { json: export.into_json() }))
    }

    async fn erase_personal_data(
        &self,
        request: Request<pb::ErasePersonalDataRequest>,
    ) -> Result<Response<pb::ErasePersonalDataResponse>, Status> {
        let pb::ErasePersonalDataRequest { user_id } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        self.people.erase(user).await.map_err(Problem::from)?;
        Ok(Response::new(pb::ErasePersonalDataResponse { complete: true }))
    }
}

/// Without name and price, which are the catalogue's.
fn item(line: Line, added: OffsetDateTime) -> Result<Value, Problem> {
    let line = pb::CartLine { product_id: line.product.to_string(), quantity: line.quantity };
    let mut entry = personal::json("stoa.cart.v1.CartLine", &line).map_err(Problem::internal)?;
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("add_time".to_owned(), json!(personal::moment(added)));
    }
    Ok(entry)
}

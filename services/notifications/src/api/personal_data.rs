//! What is kept about a person, for identity: exported and erased.

use std::sync::Arc;

use grpc::Problem;
use grpc::convert::parse_id;
use personal::Export;
use proto::notifications::v1 as pb;
use proto::notifications::v1::personal_data_service_server::PersonalDataService;
use serde_json::{Value, json};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::convert;
use crate::core::Registry;
use crate::core::ports::{Deed, Kept};
use crate::domain::Contact;

/// Serves identity.
pub struct PersonalDataApi {
    registry: Arc<Registry>,
}

impl PersonalDataApi {
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry }
    }

    /// Page by page: no more is in memory than the document and one page.
    async fn add_notifications(&self, user: Uuid, export: &mut Export) -> Result<(), Problem> {
        let mut before = None;
        loop {
            let page = self.registry.page_of(user, before).await?;
            let Some(last) = page.last() else { return Ok(()) };
            before = Some(last.notification.id);
            for told in page {
                let message = convert::notification(told);
                let entry = personal::json("stoa.notifications.v1.Notification", &message);
                if !export.add("notifications", entry.map_err(Problem::internal)?) {
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
        let kept = self.registry.kept(user).await.map_err(Problem::from)?;
        add_kept(kept, &mut export)?;
        self.add_notifications(user, &mut export).await?;
        Ok(Response::new(pb::ExportPersonalDataResponse { json: export.into_json() }))
    }

    async fn erase_personal_data(
        &self,
        request: Request<pb::ErasePersonalDataRequest>,
    ) -> Result<Response<pb::ErasePersonalDataResponse>, Status> {
        let pb::ErasePersonalDataRequest { user_id } = request.into_inner();
        let user = parse_id("user_id", &user_id)?;
        let complete = self.registry.erase(user).await.map_err(Problem::from)?;
        Ok(Response::new(pb::ErasePersonalDataResponse { complete }))
    }
}

fn add_kept(kept: Kept, export: &mut Export) -> Result<(), Problem> {
    let Kept { contact, preferences, deeds } = kept;
    if let Some(Contact { user_id: _, email, display_name }) = contact {
        export.add("contacts", json!({"email": email, "display_name": display_name}));
    }
    if let Some(preferences) = preferences {
        let message = convert::preferences(preferences);
        let entry = personal::json("stoa.notifications.v1.Preferences", &message);
        export.add("preferences", entry.map_err(Problem::internal)?);
    }
    for deed in deeds {
        export.add("operator_actions", deed_entry(deed));
    }
    Ok(())
}

fn deed_entry(deed: Deed) -> Value {
    let Deed { at, action, target, why, outcome } = deed;
    json!({"time": personal::moment(at), "action": action, "target": target, "why": why,
        "outcome": outcome})
}

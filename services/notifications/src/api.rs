//! The gRPC API and the facts that come in: parse, call a use case, convert.

mod consumer;
mod convert;
mod dead_letters;
mod personal_data;

use std::sync::Arc;

pub use consumer::{Facts, OpenEffects};
pub use dead_letters::DeadLettersApi;
use grpc::{Caller, Problem};
pub use personal_data::PersonalDataApi;
use proto::notifications::v1 as pb;
use proto::notifications::v1::notification_service_server::NotificationService;
use tonic::{Request, Response, Status};
use types::{PageSize, PageToken};
use uuid::Uuid;

use crate::core::Notifier;

/// Serves the use cases by gRPC.
pub struct NotificationApi {
    core: Arc<Notifier>,
}

impl NotificationApi {
    pub fn new(core: Arc<Notifier>) -> Self {
        Self { core }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl NotificationService for NotificationApi {
    async fn list_notifications(
        &self,
        request: Request<pb::ListNotificationsRequest>,
    ) -> Answer<pb::ListNotificationsResponse> {
        let user_id = Caller::user_of(&request)?.id;
        let pb::ListNotificationsRequest { page_size, page_token } = request.into_inner();
        let size = PageSize::from_request(page_size);
        let before = PageToken::decode::<Uuid>(&page_token)
            .map_err(|e| Problem::invalid("PAGE_TOKEN_INVALID", e.to_string()))?;
        let told = self.core.list(user_id, size, before).await.map_err(Problem::from)?;
        let (told, next_page_token) = size.cut(told, |last| last.notification.id);
        let notifications = told.into_iter().map(convert::notification).collect();
        Ok(Response::new(pb::ListNotificationsResponse { notifications, next_page_token }))
    }

    async fn get_preferences(
        &self,
        request: Request<pb::GetPreferencesRequest>,
    ) -> Answer<pb::Preferences> {
        let user_id = Caller::user_of(&request)?.id;
        let pb::GetPreferencesRequest {} = request.into_inner();
        let preferences = self.core.preferences(user_id).await.map_err(Problem::from)?;
        Ok(Response::new(convert::preferences(preferences)))
    }

    async fn update_preferences(
        &self,
        request: Request<pb::UpdatePreferencesRequest>,
    ) -> Answer<pb::Preferences> {
        let user_id = Caller::user_of(&request)?.id;
        let preferences = convert::new_preferences(request.into_inner())?;
        let set = self.core.set_preferences(user_id, preferences).await;
        Ok(Response::new(convert::preferences(set.map_err(Problem::from)?)))
    }
}

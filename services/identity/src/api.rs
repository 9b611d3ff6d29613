//! The gRPC API: parse, call a use case, convert.

mod accounts;
mod addresses;
mod clients;
mod convert;
mod erasures;
mod keys;
mod origin;
mod roles;
mod security;

use std::sync::Arc;

pub use accounts::AccountApi;
pub use addresses::AddressApi;
pub use clients::ClientApi;
pub use erasures::ErasureApi;
use grpc::{Caller, Problem};
pub use keys::LocalKeys;
use origin::origin;
pub use origin::origin_of;
use proto::identity::v1 as pb;
use proto::identity::v1::identity_service_server::IdentityService;
pub use roles::RoleApi;
pub use security::SecurityApi;
use tonic::{Request, Response, Status};
use types::{PageSize, PageToken};
use uuid::Uuid;

use crate::core::roles::Actor;
use crate::core::{Identity, Roles};

/// Serves the use cases by gRPC.
pub struct IdentityApi {
    core: Arc<Identity>,
    roles: Arc<Roles>,
}

impl IdentityApi {
    pub fn new(core: Arc<Identity>, roles: Arc<Roles>) -> Self {
        Self { core, roles }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl IdentityService for IdentityApi {
    async fn register(&self, request: Request<pb::RegisterRequest>) -> Answer<pb::Session> {
        let origin = origin(&request);
        let pb::RegisterRequest { email, password, display_name } = request.into_inner();
        let done = self.core.register(email, password.into(), display_name, &origin).await;
        Ok(Response::new(convert::session(done.map_err(Problem::from)?)))
    }

    async fn login(&self, request: Request<pb::LoginRequest>) -> Answer<pb::Session> {
        let origin = origin(&request);
        let pb::LoginRequest { email, password, one_time_code } = request.into_inner();
        let done = self.core.login(&email, password.into(), &one_time_code, &origin).await;
        Ok(Response::new(convert::session(done.map_err(Problem::from)?)))
    }

    async fn refresh(&self, request: Request<pb::RefreshRequest>) -> Answer<pb::Session> {
        let origin = origin(&request);
        let pb::RefreshRequest { refresh_token } = request.into_inner();
        let done = self.core.refresh(&refresh_token.into(), &origin).await;
        Ok(Response::new(convert::session(done.map_err(Problem::from)?)))
    }

    async fn logout(&self, request: Request<pb::LogoutRequest>) -> Answer<()> {
        let pb::LogoutRequest { refresh_token } = request.into_inner();
        self.core.logout(&refresh_token.into()).await.map_err(Problem::from)?;
        Ok(Response::new(()))
    }

    async fn get_me(&self, request: Request<pb::GetMeRequest>) -> Answer<pb::User> {
        let id = Caller::user_of(&request)?.id;
        let pb::GetMeRequest {} = request.into_inner();
        let user = self.core.user(id).await.map_err(Problem::from)?;
        Ok(Response::new(convert::user(user)))
    }

    async fn update_me(&self, request: Request<pb::UpdateMeRequest>) -> Answer<pb::User> {
        let id = Caller::user_of(&request)?.id;
        let user = match convert::new_display_name(request.into_inner())? {
            Some(display_name) => self.core.rename(id, display_name).await,
            None => self.core.user(id).await,
        };
        Ok(Response::new(convert::user(user.map_err(Problem::from)?)))
    }

    async fn list_users(
        &self,
        request: Request<pb::ListUsersRequest>,
    ) -> Answer<pb::ListUsersResponse> {
        let pb::ListUsersRequest { page_size, page_token, role } = request.into_inner();
        let role = Some(role.as_str()).filter(|role| !role.is_empty());
        let size = PageSize::from_request(page_size);
        let before = PageToken::decode::<Uuid>(&page_token)
            .map_err(|e| Problem::invalid("PAGE_TOKEN_INVALID", e.to_string()))?;
        let users = self.core.users(role, size, before).await.map_err(Problem::from)?;
        let (users, next_page_token) = size.cut(users, |last| last.id);
        let users = users.into_iter().map(convert::user).collect();
        Ok(Response::new(pb::ListUsersResponse { users, next_page_token }))
    }

    async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Answer<pb::User> {
        let pb::GetUserRequest { user_id } = request.into_inner();
        let id = grpc::convert::parse_id("user_id", &user_id)?;
        let user = self.core.user(id).await.map_err(Problem::from)?;
        Ok(Response::new(convert::user(user)))
    }

    async fn set_user_roles(&self, request: Request<pb::SetUserRolesRequest>) -> Answer<pb::User> {
        let (by, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::SetUserRolesRequest { user_id, roles, revoke_sessions } = request.into_inner();
        let id = grpc::convert::parse_id("user_id", &user_id)?;
        let by = Actor { id: by, origin: &origin };
        let user = self.roles.give(id, &roles, revoke_sessions, &by).await;
        let user = user.map_err(Problem::from)?;
        Ok(Response::new(convert::user(user)))
    }

    async fn list_revocations(
        &self,
        request: Request<pb::ListRevocationsRequest>,
    ) -> Answer<pb::ListRevocationsResponse> {
        let pb::ListRevocationsRequest { start_time } = request.into_inner();
        let since = start_time.map(|time| grpc::convert::parse_timestamp("start_time", &time));
        let revoked = self.core.revoked(since.transpose()?).await.map_err(Problem::from)?;
        Ok(Response::new(convert::revocations(revoked)))
    }

    async fn get_jwks(&self, request: Request<pb::GetJwksRequest>) -> Answer<pb::Jwks> {
        let pb::GetJwksRequest {} = request.into_inner();
        let keys = self.core.published_keys().await.map_err(Problem::from)?;
        Ok(Response::new(pb::Jwks { keys: keys.into_iter().map(convert::jwk).collect() }))
    }
}

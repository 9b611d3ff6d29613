//! Roles, by gRPC.

use std::sync::Arc;

use grpc::{Caller, Problem};
use proto::identity::v1 as pb;
use proto::identity::v1::role_service_server::RoleService;
use tonic::{Request, Response};

use super::origin::origin;
use super::{Answer, convert};
use crate::core::Roles;
use crate::core::ports::Holders;
use crate::core::roles::{Actor, Shown};
use crate::domain::CustomRole;

/// Serves [`Roles`] by gRPC.
pub struct RoleApi {
    core: Arc<Roles>,
}

impl RoleApi {
    pub fn new(core: Arc<Roles>) -> Self {
        Self { core }
    }
}

#[tonic::async_trait]
impl RoleService for RoleApi {
    async fn list_roles(
        &self,
        request: Request<pb::ListRolesRequest>,
    ) -> Answer<pb::ListRolesResponse> {
        let pb::ListRolesRequest {} = request.into_inner();
        let roles = self.core.list().await.map_err(Problem::from)?;
        let roles = roles.into_iter().map(convert::role).collect();
        Ok(Response::new(pb::ListRolesResponse { roles }))
    }

    async fn get_role(&self, request: Request<pb::GetRoleRequest>) -> Answer<pb::Role> {
        let pb::GetRoleRequest { role_id } = request.into_inner();
        let role = self.core.get(&role_id).await.map_err(Problem::from)?;
        Ok(Response::new(convert::role(role)))
    }

    async fn create_role(&self, request: Request<pb::CreateRoleRequest>) -> Answer<pb::Role> {
        let (by, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::CreateRoleRequest { role_id, title, description, permissions } =
            request.into_inner();
        let now = types::now();
        let mut role = CustomRole {
            name: role_id,
            title,
            description,
            permissions,
            created_at: now,
            updated_at: now,
        };
        role.permissions.sort_unstable();
        let by = Actor { id: by, origin: &origin };
        let made = self.core.create(role, &by).await.map_err(Problem::from)?;
        Ok(Response::new(convert::role(Shown::Custom(made, Holders::default()))))
    }

    async fn update_role(&self, request: Request<pb::UpdateRoleRequest>) -> Answer<pb::Role> {
        let (by, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let request = request.into_inner();
        let (name, end_sessions) = (request.role_id.clone(), request.revoke_sessions);
        let change = convert::role_change(request)?;
        let by = Actor { id: by, origin: &origin };
        let role = self.core.change(&name, change, end_sessions, &by).await;
        Ok(Response::new(convert::role(role.map_err(Problem::from)?)))
    }

    async fn delete_role(&self, request: Request<pb::DeleteRoleRequest>) -> Answer<()> {
        let (by, origin) = (Caller::user_of(&request)?.id, origin(&request));
        let pb::DeleteRoleRequest { role_id } = request.into_inner();
        let by = Actor { id: by, origin: &origin };
        self.core.delete(&role_id, &by).await.map_err(Problem::from)?;
        Ok(Response::new(()))
    }
}

//! Roles.

use grpc::Problem;
use proto::identity::v1 as pb;

use super::mask::Mask;
use crate::core::roles::Shown;
use crate::domain::RoleChange;

pub(in crate::api) fn role(role: Shown) -> pb::Role {
    let count = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
    match role {
        Shown::BuiltIn(role, holders) => pb::Role {
            role_id: role.name.to_owned(),
            title: role.name.to_owned(),
            description: String::new(),
            permissions: role.permissions.iter().map(ToString::to_string).collect(),
            built_in: true,
            user_count: count(holders.users),
            client_count: count(holders.clients),
            create_time: None,
            update_time: None,
        },
        Shown::Custom(role, holders) => pb::Role {
            role_id: role.name,
            title: role.title,
            description: role.description,
            permissions: role.permissions,
            built_in: false,
            user_count: count(holders.users),
            client_count: count(holders.clients),
            create_time: Some(grpc::convert::timestamp(role.created_at)),
            update_time: Some(grpc::convert::timestamp(role.updated_at)),
        },
    }
}

/// What an update asks for (AIP-134): without a mask whatever is set, otherwise what
/// the mask names.
pub(in crate::api) fn role_change(request: pb::UpdateRoleRequest) -> Result<RoleChange, Problem> {
    let pb::UpdateRoleRequest { role_id: _, role, update_mask, revoke_sessions: _ } = request;
    let role = role.ok_or_else(|| Problem::field("role", "is required"))?;
    let pb::Role { title, description, mut permissions, .. } = role;
    permissions.sort_unstable();
    let asked = Mask::of(update_mask, &["title", "description", "permissions"])?;
    let change = RoleChange {
        title: asked.takes("title", !title.is_empty()).then_some(title),
        description: asked.takes("description", !description.is_empty()).then_some(description),
        permissions: asked.takes("permissions", !permissions.is_empty()).then_some(permissions),
    };
    if change.title.as_ref().is_some_and(String::is_empty) {
        return Err(Problem::field("role.title", "must not be empty"));
    }
    if change.permissions.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::field("role.permissions", "must not be empty"));
    }
    Ok(change)
}

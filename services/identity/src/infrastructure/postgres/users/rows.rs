//! Accounts as they are read.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::ports::Credentials;
use crate::domain::{RoleNames, User};

#[derive(sqlx::FromRow)]
pub(super) struct UserRow {
    id: Uuid,
    email: String,
    display_name: String,
    roles: Vec<String>,
    custom_roles: Vec<String>,
    entitlements: Vec<String>,
    created_at: OffsetDateTime,
    email_verified: bool,
    second_factor: bool,
}

/// Accounts that are not closed.
pub(super) const SELECT: &str = "select id, email, display_name, roles, created_at, password_hash,
        array(select u.role from user_custom_roles u where u.user_id = users.id order by 1)
            as custom_roles,
        array(select distinct unnest(r.permissions)
            from user_custom_roles u join custom_roles r on r.name = u.role
            where u.user_id = users.id order by 1) as entitlements,
        email_verified_at is not null as email_verified,
        exists (select from second_factors f where f.user_id = users.id
            and f.confirmed_at is not null) as second_factor
    from users where closed_at is null";

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let UserRow {
            id,
            email,
            display_name,
            roles: built_in,
            custom_roles: custom,
            entitlements,
            created_at,
            email_verified,
            second_factor,
        } = row;
        let roles = RoleNames { built_in, custom };
        Self {
            id,
            email,
            display_name,
            roles,
            entitlements,
            created_at,
            email_verified,
            second_factor,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct CredentialsRow {
    #[sqlx(flatten)]
    user: UserRow,
    password_hash: String,
}

impl From<CredentialsRow> for Credentials {
    fn from(row: CredentialsRow) -> Self {
        let CredentialsRow { user, password_hash } = row;
        Self { user: user.into(), password_hash: password_hash.into() }
    }
}

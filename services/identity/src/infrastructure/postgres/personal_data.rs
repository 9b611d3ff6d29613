//! What identity itself keeps about a person.

use async_trait::async_trait;
use sqlx::PgPool;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::PersonalData;

/// The account, its addresses, its sessions and its security events.
pub struct OwnData {
    pool: PgPool,
}

impl OwnData {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl PersonalData for OwnData {
    fn name(&self) -> &'static str {
        "identity"
    }

    /// Never a credential: no password's hash, no secret, no token.
    async fn export(&self, user: Uuid) -> Result<String, Error> {
        let document = sqlx::query_scalar(
            "select jsonb_pretty(jsonb_build_object(
                 'user_id', u.id,
                 'email', u.email,
                 'email_verified_at', u.email_verified_at,
                 'display_name', u.display_name,
                 'roles', u.roles || array(
                     select role from user_custom_roles where user_id = u.id order by role),
                 'created_at', u.created_at,
                 'second_factor_since', (
                     select confirmed_at from second_factors where user_id = u.id),
                 'addresses', (
                     select coalesce(jsonb_agg(jsonb_build_object(
                         'address_id', a.id, 'label', a.label, 'recipient', a.recipient,
                         'street', a.street, 'city', a.city, 'postal_code', a.postal_code,
                         'country_code', a.country_code, 'is_default', a.is_default,
                         'created_at', a.created_at, 'updated_at', a.updated_at)
                         order by a.id), '[]')
                     from addresses a where a.user_id = u.id),
                 'sessions', (
                     select coalesce(jsonb_agg(jsonb_build_object(
                         'session_id', f.id, 'created_at', f.created_at,
                         'last_used_at', f.last_used_at, 'revoked_at', f.revoked_at,
                         'user_agent', f.user_agent) order by f.id), '[]')
                     from refresh_token_families f where f.user_id = u.id),
                 'security_events', (
                     select coalesce(jsonb_agg(jsonb_build_object(
                         'kind', e.kind, 'at', e.at, 'client_address', e.client_address,
                         'detail', e.detail)
                         order by e.sequence), '[]')
                     from security_events e where e.user_id = u.id)
             )) from users u where u.id = $1 and u.closed_at is null",
        )
        .bind(user)
        .fetch_optional(&self.pool)
        .await?;
        Ok(document.unwrap_or_default())
    }

    /// Ends with the account, by [`crate::core::ports::Erasures::finish`].
    async fn erase(&self, _: Uuid) -> Result<bool, Error> {
        Ok(true)
    }
}

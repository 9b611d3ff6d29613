//! Codes, grants and consents.

use async_trait::async_trait;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{families, security_events};
use crate::core::Error;
use crate::core::ports::{Code, Grant, Grants};
use crate::domain::oauth::Scopes;
use crate::domain::{Event, NewToken, TokenHash};

/// Grants in PostgreSQL.
pub struct PostgresGrants {
    pool: PgPool,
}

impl PostgresGrants {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

const TAKE: &str = "select client_id, user_id, session_id, redirect_uri, scope, nonce,
         code_challenge, auth_time, expires_at, used_at, family_id
     from oauth_codes where code_hash = $1 for update";

#[derive(sqlx::FromRow)]
struct CodeRow {
    client_id: Uuid,
    user_id: Uuid,
    session_id: Uuid,
    redirect_uri: String,
    scope: String,
    nonce: Option<String>,
    code_challenge: String,
    auth_time: OffsetDateTime,
    expires_at: OffsetDateTime,
    used_at: Option<OffsetDateTime>,
    family_id: Option<Uuid>,
}

#[async_trait]
impl Grants for PostgresGrants {
    async fn keep_code(&self, hash: TokenHash, code: &Code) -> Result<(), Error> {
        sqlx::query(
            "insert into oauth_codes (code_hash, client_id, user_id, session_id, redirect_uri,
                 scope, nonce, code_challenge, auth_time, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(hash.0.as_slice())
        .bind(code.client)
        .bind(code.user)
        .bind(code.session)
        .bind(&code.redirect_uri)
        .bind(code.scopes.to_string())
        .bind(&code.nonce)
        .bind(&code.code_challenge)
        .bind(code.auth_time)
        .bind(code.expires_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn take_code(&self, hash: TokenHash, now: OffsetDateTime) -> Result<Option<Code>, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let row: Option<CodeRow> =
            sqlx::query_as(TAKE).bind(hash.0.as_slice()).fetch_optional(&mut *tx).await?;
        let Some(row) = row else { return Ok(None) };
        if row.used_at.is_some() {
            if let Some(family) = row.family_id {
                families::revoke_family(&mut tx, family, now).await?;
            }
            tx.commit().await?;
            return Ok(None);
        }
        sqlx::query("update oauth_codes set used_at = $2 where code_hash = $1")
            .bind(hash.0.as_slice())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        let code = Code {
            client: row.client_id,
            user: row.user_id,
            session: row.session_id,
            redirect_uri: row.redirect_uri,
            scopes: Scopes::parse(&row.scope),
            nonce: row.nonce,
            code_challenge: row.code_challenge,
            auth_time: row.auth_time,
            expires_at: row.expires_at,
        };
        Ok(Some(code).filter(|code| code.expires_at > now))
    }

    async fn begin(
        &self,
        hash: TokenHash,
        code: &Code,
        first: &NewToken,
        event: &Event,
    ) -> Result<Uuid, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let family = families::start(&mut tx, code.user, first, "").await?;
        // It is as old as the sign-in that it comes from, and is named after its client.
        sqlx::query(
            "update refresh_token_families f
             set client_id = $2, scope = $3, created_at = $4, user_agent = c.name
             from oauth_clients c where f.id = $1 and c.id = $2",
        )
        .bind(family)
        .bind(code.client)
        .bind(code.scopes.to_string())
        .bind(code.auth_time)
        .execute(&mut *tx)
        .await?;
        sqlx::query("update oauth_codes set family_id = $2 where code_hash = $1")
            .bind(hash.0.as_slice())
            .bind(family)
            .execute(&mut *tx)
            .await?;
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(family)
    }

    async fn grant(&self, family: Uuid) -> Result<Option<Grant>, Error> {
        let row: Option<(Option<Uuid>, String, OffsetDateTime)> = sqlx::query_as(
            "select client_id, scope, created_at from refresh_token_families where id = $1",
        )
        .bind(family)
        .fetch_optional(&self.pool)
        .await?;
        let grant = |(client, scope, auth_time): (_, String, _)| Grant {
            client,
            scopes: Scopes::parse(&scope),
            auth_time,
        };
        Ok(row.map(grant))
    }

    async fn consent(&self, user: Uuid, client: Uuid) -> Result<Scopes, Error> {
        let scope: Option<Vec<String>> = sqlx::query_scalar(
            "select scope from oauth_consents where user_id = $1 and client_id = $2",
        )
        .bind(user)
        .bind(client)
        .fetch_optional(&self.pool)
        .await?;
        Ok(Scopes::parse(&scope.unwrap_or_default().join(" ")))
    }

    async fn keep_consent(&self, user: Uuid, client: Uuid, scopes: &Scopes) -> Result<(), Error> {
        let names: Vec<&str> = scopes.0.iter().map(|scope| scope.name()).collect();
        sqlx::query(
            "insert into oauth_consents (user_id, client_id, scope, granted_at)
             values ($1, $2, $3, $4)
             on conflict on constraint oauth_consents_pkey do update set
                 scope = excluded.scope, granted_at = excluded.granted_at",
        )
        .bind(user)
        .bind(client)
        .bind(names)
        .bind(types::now())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error> {
        sqlx::query("delete from oauth_codes where expires_at < $1")
            .bind(limit)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

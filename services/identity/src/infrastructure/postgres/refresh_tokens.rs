//! Refresh tokens and their families.

use async_trait::async_trait;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{families, security_events, users};
use crate::core::Error;
use crate::core::ports::{RefreshTokens, Rotation, SignIn};
use crate::domain::{Event, EventKind, NewToken, Origin, TokenHash, User, Verdict};

/// Refresh tokens in PostgreSQL.
pub struct PostgresRefreshTokens {
    pool: PgPool,
}

impl PostgresRefreshTokens {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[derive(sqlx::FromRow)]
struct SignInRow {
    id: Uuid,
    created_at: OffsetDateTime,
    last_used_at: OffsetDateTime,
    user_agent: String,
}

impl From<SignInRow> for SignIn {
    fn from(row: SignInRow) -> Self {
        let SignInRow { id, created_at, last_used_at, user_agent } = row;
        Self { id, created_at, last_used_at, user_agent }
    }
}

#[derive(sqlx::FromRow)]
struct HolderRow {
    #[sqlx(flatten)]
    session: SignInRow,
    user_id: Uuid,
    expires_at: OffsetDateTime,
}

#[async_trait]
impl RefreshTokens for PostgresRefreshTokens {
    async fn start(
        &self,
        user: Uuid,
        token: &NewToken,
        user_agent: &str,
        event: &Event,
    ) -> Result<Uuid, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let session = families::start(&mut tx, user, token, user_agent).await?;
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(session)
    }

    async fn rotate(
        &self,
        spent: TokenHash,
        next: &NewToken,
        client: Option<Uuid>,
        origin: &Origin,
    ) -> Result<Rotation, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let now = next.issued_at;
        let held = families::lock(&mut tx, spent).await?.filter(|held| held.client == client);
        let Some(held) = held else { return Ok(Rotation::Refused) };
        match held.present(now) {
            Verdict::Dead => Ok(Rotation::Refused),
            Verdict::Reused => {
                families::revoke_family(&mut tx, held.family, now).await?;
                let event = Event::of(EventKind::SessionsRevoked, held.user, now, origin);
                security_events::record(&mut tx, &event).await?;
                // The refusal must not undo the revocation.
                tx.commit().await?;
                Ok(Rotation::Reused(held.user))
            }
            Verdict::Good => {
                families::mark_used(&mut tx, spent, now).await?;
                families::insert(&mut tx, held.family, next).await?;
                families::touch(&mut tx, held.family, now).await?;
                let user = users::find(&mut tx, held.user).await?.ok_or(Error::UserNotFound)?;
                tx.commit().await?;
                Ok(Rotation::Done(user, held.family))
            }
        }
    }

    async fn revoke(&self, token: TokenHash, now: OffsetDateTime) -> Result<(), Error> {
        sqlx::query(
            "update refresh_token_families set revoked_at = $2
             where id = (select family_id from refresh_tokens where token_hash = $1)
               and revoked_at is null",
        )
        .bind(token.0.as_slice())
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn sessions(&self, user: Uuid, limit: i64) -> Result<Vec<SignIn>, Error> {
        let rows: Vec<SignInRow> = sqlx::query_as(
            "select f.id, f.created_at, f.last_used_at, f.user_agent
             from refresh_token_families f
             where f.user_id = $1 and f.revoked_at is null and exists (
                 select from refresh_tokens t
                 where t.family_id = f.id and t.used_at is null and t.expires_at > now())
             order by f.last_used_at desc limit $2",
        )
        .bind(user)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(SignIn::from).collect())
    }

    async fn end(&self, user: Uuid, session: Uuid, event: &Event) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let ended: Option<bool> = sqlx::query_scalar(
            "select revoked_at is not null from refresh_token_families
             where id = $1 and user_id = $2 for update",
        )
        .bind(session)
        .bind(user)
        .fetch_optional(&mut *tx)
        .await?;
        if ended == Some(false) {
            families::revoke_family(&mut tx, session, event.at).await?;
            security_events::record(&mut tx, event).await?;
            tx.commit().await?;
        }
        Ok(ended.is_some())
    }

    async fn holder(
        &self,
        token: TokenHash,
        now: OffsetDateTime,
    ) -> Result<Option<(SignIn, User, OffsetDateTime)>, Error> {
        let row: Option<HolderRow> = sqlx::query_as(
            "select f.id, f.created_at, f.last_used_at, f.user_agent, f.user_id, t.expires_at
             from refresh_tokens t join refresh_token_families f on f.id = t.family_id
             where t.token_hash = $1 and t.used_at is null and t.expires_at > $2
                 and f.revoked_at is null",
        )
        .bind(token.0.as_slice())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        let Some(HolderRow { session, user_id, expires_at }) = row else { return Ok(None) };
        let user = users::find(&mut *self.pool.acquire().await?, user_id).await?;
        Ok(user.map(|user| (session.into(), user, expires_at)))
    }

    async fn is_live(&self, session: Uuid) -> Result<bool, Error> {
        let live = sqlx::query_scalar(
            "select exists (
                 select from refresh_token_families f join users u on u.id = f.user_id
                 where f.id = $1 and f.revoked_at is null and u.closed_at is null)",
        )
        .bind(session)
        .fetch_one(&self.pool)
        .await?;
        Ok(live)
    }

    async fn forget_expired(&self, limit: OffsetDateTime) -> Result<u64, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let forgotten = sqlx::query("delete from refresh_tokens where expires_at < $1")
            .bind(limit)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "delete from refresh_token_families f
             where not exists (select 1 from refresh_tokens t where t.family_id = f.id)",
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(forgotten.rows_affected())
    }
}

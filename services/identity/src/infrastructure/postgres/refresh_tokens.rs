//! Refresh tokens and their families.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::users;
use crate::core::Error;
use crate::core::ports::{RefreshTokens, Rotation};
use crate::domain::{HeldToken, NewToken, TokenHash, Verdict};

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
struct HeldRow {
    family_id: Uuid,
    user_id: Uuid,
    expires_at: OffsetDateTime,
    used_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
}

impl From<HeldRow> for HeldToken {
    fn from(row: HeldRow) -> Self {
        let HeldRow { family_id, user_id, expires_at, used_at, revoked_at } = row;
        Self { family: family_id, user: user_id, expires_at, used_at, revoked_at }
    }
}

#[async_trait]
impl RefreshTokens for PostgresRefreshTokens {
    async fn start(&self, user: Uuid, token: &NewToken) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        start(&mut tx, user, token).await?;
        Ok(tx.commit().await?)
    }

    async fn rotate(&self, spent: TokenHash, next: &NewToken) -> Result<Rotation, Error> {
        let mut tx = self.pool.begin().await?;
        let now = next.issued_at;
        let Some(held) = lock(&mut tx, spent).await? else { return Ok(Rotation::Refused) };
        match held.present(now) {
            Verdict::Dead => Ok(Rotation::Refused),
            Verdict::Reused => {
                revoke_family(&mut tx, held.family, now).await?;
                // The refusal must not undo the revocation.
                tx.commit().await?;
                Ok(Rotation::Reused(held.user))
            }
            Verdict::Good => {
                mark_used(&mut tx, spent, now).await?;
                insert(&mut tx, held.family, next).await?;
                let user = users::find(&mut tx, held.user).await?.ok_or(Error::UserNotFound)?;
                tx.commit().await?;
                Ok(Rotation::Done(user))
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

    async fn forget_expired(&self, limit: OffsetDateTime) -> Result<u64, Error> {
        let mut tx = self.pool.begin().await?;
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

/// A new family with its first token.
pub(super) async fn start(
    connection: &mut PgConnection,
    user: Uuid,
    token: &NewToken,
) -> Result<(), Error> {
    let family = Uuid::now_v7();
    sqlx::query("insert into refresh_token_families (id, user_id, created_at) values ($1, $2, $3)")
        .bind(family)
        .bind(user)
        .bind(token.issued_at)
        .execute(&mut *connection)
        .await?;
    insert(connection, family, token).await
}

async fn insert(
    connection: &mut PgConnection,
    family: Uuid,
    token: &NewToken,
) -> Result<(), Error> {
    sqlx::query(
        "insert into refresh_tokens (token_hash, family_id, expires_at) values ($1, $2, $3)",
    )
    .bind(token.hash.0.as_slice())
    .bind(family)
    .bind(token.expires_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks the token and its family, so that the verdict holds until the commit.
async fn lock(connection: &mut PgConnection, token: TokenHash) -> Result<Option<HeldToken>, Error> {
    let row = sqlx::query_as::<_, HeldRow>(
        "select t.family_id, f.user_id, t.expires_at, t.used_at, f.revoked_at
         from refresh_tokens t join refresh_token_families f on f.id = t.family_id
         where t.token_hash = $1 for update of t, f",
    )
    .bind(token.0.as_slice())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(HeldToken::from))
}

async fn mark_used(
    connection: &mut PgConnection,
    token: TokenHash,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query("update refresh_tokens set used_at = $2 where token_hash = $1")
        .bind(token.0.as_slice())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

async fn revoke_family(
    connection: &mut PgConnection,
    family: Uuid,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query("update refresh_token_families set revoked_at = $2 where id = $1")
        .bind(family)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

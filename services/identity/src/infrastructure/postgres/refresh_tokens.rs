//! Refresh tokens and their families.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{security_events, users};
use crate::core::Error;
use crate::core::ports::{RefreshTokens, Rotation, SignIn};
use crate::domain::{Event, EventKind, HeldToken, NewToken, Origin, TokenHash, User, Verdict};

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
    client_id: Option<Uuid>,
    expires_at: OffsetDateTime,
    used_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
}

impl From<HeldRow> for HeldToken {
    fn from(row: HeldRow) -> Self {
        let HeldRow { family_id, user_id, client_id, expires_at, used_at, revoked_at } = row;
        let (family, user, client) = (family_id, user_id, client_id);
        Self { family, user, client, expires_at, used_at, revoked_at }
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
        let mut tx = self.pool.begin().await?;
        let session = start(&mut tx, user, token, user_agent).await?;
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
        let mut tx = self.pool.begin().await?;
        let now = next.issued_at;
        let held = lock(&mut tx, spent).await?.filter(|held| held.client == client);
        let Some(held) = held else { return Ok(Rotation::Refused) };
        match held.present(now) {
            Verdict::Dead => Ok(Rotation::Refused),
            Verdict::Reused => {
                revoke_family(&mut tx, held.family, now).await?;
                let event = Event::of(EventKind::SessionsRevoked, held.user, now, origin);
                security_events::record(&mut tx, &event).await?;
                // The refusal must not undo the revocation.
                tx.commit().await?;
                Ok(Rotation::Reused(held.user))
            }
            Verdict::Good => {
                mark_used(&mut tx, spent, now).await?;
                insert(&mut tx, held.family, next).await?;
                touch(&mut tx, held.family, now).await?;
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
        let mut tx = self.pool.begin().await?;
        let ended: Option<bool> = sqlx::query_scalar(
            "select revoked_at is not null from refresh_token_families
             where id = $1 and user_id = $2 for update",
        )
        .bind(session)
        .bind(user)
        .fetch_optional(&mut *tx)
        .await?;
        if ended == Some(false) {
            revoke_family(&mut tx, session, event.at).await?;
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
    user_agent: &str,
) -> Result<Uuid, Error> {
    let family = Uuid::now_v7();
    sqlx::query(
        "insert into refresh_token_families (id, user_id, created_at, last_used_at, user_agent)
         values ($1, $2, $3, $3, $4)",
    )
    .bind(family)
    .bind(user)
    .bind(token.issued_at)
    .bind(user_agent)
    .execute(&mut *connection)
    .await?;
    insert(connection, family, token).await?;
    Ok(family)
}

/// Ends every session of a user but `keep`.
pub(super) async fn end_all(
    connection: &mut PgConnection,
    user: Uuid,
    keep: Option<Uuid>,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query(
        "update refresh_token_families set revoked_at = $3
         where user_id = $1 and revoked_at is null and id is distinct from $2",
    )
    .bind(user)
    .bind(keep)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

async fn touch(
    connection: &mut PgConnection,
    family: Uuid,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query("update refresh_token_families set last_used_at = $2 where id = $1")
        .bind(family)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
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
        "select t.family_id, f.user_id, f.client_id, t.expires_at, t.used_at, f.revoked_at
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

pub(super) async fn revoke_family(
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

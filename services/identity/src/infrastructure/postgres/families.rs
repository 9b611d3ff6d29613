//! Families of refresh tokens, row by row.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{HeldToken, NewToken, TokenHash};

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

pub(super) async fn touch(
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

pub(super) async fn insert(
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
pub(super) async fn lock(
    connection: &mut PgConnection,
    token: TokenHash,
) -> Result<Option<HeldToken>, Error> {
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

pub(super) async fn mark_used(
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

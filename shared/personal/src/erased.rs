//! Tombstones: what keeps a person who was erased from coming back by what was still
//! on its way.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// The table of a service that keeps something about users; it merges this into its
/// migrations.
pub static ERASED: sqlx::migrate::Migrator = sqlx::migrate!();

/// Rows deleted in one statement.
const PURGE_BATCH: i64 = 1_000;

/// Until the transaction ends nobody erases the user. Waits for an erasure that is
/// going on; whether there was one is for a later statement to ask.
pub async fn hold_off_erasure(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("select hold_off_erasure($1)").bind(user).execute(conn).await?;
    Ok(())
}

/// True when the user was erased. The answer stays true to the end of a transaction
/// that has held erasure off.
pub async fn is_erased(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from erased_users where user_id = $1)")
        .bind(user)
        .fetch_one(conn)
        .await
}

/// Sets the user's tombstone. Waits for everybody who writes about the user; what they
/// wrote is seen by the next statement, and whoever comes later finds the tombstone.
pub async fn begin_erasure(conn: &mut PgConnection, user: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(1701994867, hashtext($1::uuid::text))")
        .bind(user)
        .execute(&mut *conn)
        .await?;
    sqlx::query("insert into erased_users (user_id) values ($1) on conflict do nothing")
        .bind(user)
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes tombstones older than 30 days, like entries of the inbox: no token lives
/// and nothing is delivered that long. Answers how many.
pub async fn purge(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let mut all = 0;
    loop {
        let deleted = sqlx::query(
            "delete from erased_users where user_id in (
                 select user_id from erased_users
                 where erased_at < now() - interval '30 days'
                 order by erased_at limit $1 for update skip locked
             )",
        )
        .bind(PURGE_BATCH)
        .execute(pool)
        .await?
        .rows_affected();
        all += deleted;
        if deleted < PURGE_BATCH.unsigned_abs() {
            return Ok(all);
        }
    }
}

//! The inbox table: facts whose effect is committed.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// Rows deleted in one statement.
const PURGE_BATCH: i64 = 5_000;

/// Writes down that the effect of an event is part of this transaction. False when
/// the effect is there already; waits for another transaction that is at it.
pub(crate) async fn enter(
    conn: &mut PgConnection,
    consumer: &str,
    event: Uuid,
) -> Result<bool, sqlx::Error> {
    #[cfg(feature = "sabotage")]
    if crate::sabotage::skips_inbox() {
        return Ok(true);
    }
    let entered = sqlx::query(
        "insert into inbox (consumer, event_id) values ($1, $2)
         on conflict on constraint inbox_pk do nothing",
    )
    .bind(consumer)
    .bind(event)
    .execute(conn)
    .await?;
    Ok(entered.rows_affected() == 1)
}

/// Deletes entries older than 30 days: nothing is delivered again that late.
pub(crate) async fn purge(pool: &PgPool) -> Result<(), sqlx::Error> {
    loop {
        let deleted = sqlx::query(
            "delete from inbox where ctid in (
                 select ctid from inbox
                 where received_at < now() - interval '30 days' limit $1
             )",
        )
        .bind(PURGE_BATCH)
        .execute(pool)
        .await?;
        if deleted.rows_affected() < PURGE_BATCH.unsigned_abs() {
            return Ok(());
        }
    }
}

//! The outbox table: facts that were decided and may still have to be published.

use proto::Fact;
use sqlx::types::time::OffsetDateTime;
use sqlx::{FromRow, PgConnection, PgPool};
use uuid::Uuid;

/// The channel on which a commit wakes the relay.
pub(crate) const WAKE: &str = "outbox";

/// The advisory lock that a relay holds while it sleeps. It reads "stoaslee".
///
/// A notification makes commits wait for each other, all over the server, until each
/// is on disk; so only a sleeping relay is woken. Whoever publishes shares this lock
/// until its transaction ends, if it can: then the relay is awake, and cannot fall
/// asleep before it has seen the fact.
pub(crate) const ASLEEP: i64 = 0x7374_6f61_736c_6565;

/// Rows deleted in one statement.
const PURGE_BATCH: i64 = 5_000;

/// A fact as it waits in the table.
#[derive(FromRow)]
pub(crate) struct Row {
    pub(crate) position: i64,
    pub(crate) id: Uuid,
    pub(crate) topic: String,
    pub(crate) key: String,
    pub(crate) schema: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) traceparent: Option<String>,
    pub(crate) created_at: OffsetDateTime,
}

/// Publishes a fact if and only if the caller's transaction commits; answers the
/// event's id.
///
/// Call it after the aggregate's row is written: the row's lock is what gives two
/// facts of one aggregate their order.
pub async fn publish<F: Fact>(conn: &mut PgConnection, fact: &F) -> Result<Uuid, sqlx::Error> {
    let id = Uuid::now_v7();
    sqlx::query(
        "with fact as (
             insert into outbox (id, topic, key, schema, payload, traceparent)
             values ($1, $2, $3, $4, $5, $6)
             returning position
         )
         select pg_notify($7, '') from fact where not pg_try_advisory_xact_lock_shared($8)",
    )
    .bind(id)
    .bind(F::INFO.topic)
    .bind(fact.key())
    .bind(F::INFO.schema)
    .bind(fact.encode_to_vec())
    .bind(telemetry::traceparent())
    .bind(WAKE)
    .bind(ASLEEP)
    .execute(conn)
    .await?;
    Ok(id)
}

/// The oldest facts that are not published yet, oldest first.
pub(crate) async fn unsent(conn: &mut PgConnection, limit: i64) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as(
        "select position, id, topic, key, schema, payload, traceparent, created_at
         from outbox where sent_at is null order by position limit $1",
    )
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Remembers that the broker has them.
pub(crate) async fn mark_sent(conn: &mut PgConnection, sent: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query("update outbox set sent_at = now() where position = any($1)")
        .bind(sent)
        .execute(conn)
        .await?;
    Ok(())
}

/// How many facts wait, and the age of the oldest in seconds.
pub(crate) async fn backlog(pool: &PgPool) -> Result<(i64, f64), sqlx::Error> {
    sqlx::query_as(
        "select count(*),
                coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8
         from outbox where sent_at is null",
    )
    .fetch_one(pool)
    .await
}

/// Deletes facts that were published more than a day ago.
pub(crate) async fn purge(pool: &PgPool) -> Result<(), sqlx::Error> {
    loop {
        let deleted = sqlx::query(
            "delete from outbox where position in (
                 select position from outbox
                 where created_at < now() - interval '1 day'
                   and sent_at < now() - interval '1 day'
                 limit $1
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

//! What is old, in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::{Builder, Uuid};

use crate::core::Error;
use crate::core::ports::Archive;
use crate::core::purge::Retention;
use crate::infrastructure::database_error;

/// Rows deleted in one statement: its locks are short, and others get their turn.
const BATCH: i64 = 1_000;

const UNDONE_SAGAS: &str = "delete from sagas where order_id in (
     select order_id from sagas
     where status = 'done' and direction = 'backward'
         and next_run_at < now() - make_interval(secs => $1)
     order by next_run_at limit $2 for update skip locked)";

/// Ids of orders begin with the time of placing: those that are old enough stand at the
/// begin of the primary key, and nothing behind them is looked at.
const SOLD_SAGAS: &str = "delete from sagas where order_id in (
     select order_id from sagas
     where order_id < $3 and status = 'done' and direction = 'forward'
         and next_run_at < now() - make_interval(secs => $1)
     order by order_id limit $2 for update skip locked)";

const KEYS: &str = "delete from idempotency_keys where ctid in (
     select ctid from idempotency_keys
     where created_at < now() - make_interval(secs => $1)
     limit $2 for update skip locked)";

/// Deletes what is old.
pub struct PostgresArchive {
    pool: PgPool,
}

impl PostgresArchive {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    async fn delete(&self, statement: &'static str, age: Duration) -> Result<u64, Error> {
        self.delete_before(statement, age, None).await
    }

    /// Where the statement asks for it, only of orders before this one.
    async fn delete_before(
        &self,
        statement: &'static str,
        age: Duration,
        order: Option<Uuid>,
    ) -> Result<u64, Error> {
        let mut all = 0;
        loop {
            let query = sqlx::query(statement).bind(age.as_secs_f64()).bind(BATCH);
            let query = match order {
                Some(order) => query.bind(order),
                None => query,
            };
            let deleted = query.execute(&self.pool).await.map_err(database_error)?.rows_affected();
            all += deleted;
            if deleted < BATCH.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}

/// The lowest id of orders of that moment (RFC 9562, section 5.7).
fn first_placed_at(time: OffsetDateTime) -> Uuid {
    let millis = u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
    Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

#[async_trait]
impl Archive for PostgresArchive {
    async fn forget(&self, retention: Retention) -> Result<(u64, u64), Error> {
        let undone = self.delete(UNDONE_SAGAS, retention.undone_sagas).await?;
        let placed = first_placed_at(types::now() - retention.sold_sagas);
        let sold = self.delete_before(SOLD_SAGAS, retention.sold_sagas, Some(placed)).await?;
        Ok((undone + sold, self.delete(KEYS, retention.keys).await?))
    }

    async fn forget_erased(&self) -> Result<u64, Error> {
        personal::purge(&self.pool).await.map_err(database_error)
    }
}

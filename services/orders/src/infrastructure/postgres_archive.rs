//! What is old, in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;

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
        let mut all = 0;
        loop {
            let deleted = sqlx::query(statement)
                .bind(age.as_secs_f64())
                .bind(BATCH)
                .execute(&self.pool)
                .await
                .map_err(database_error)?
                .rows_affected();
            all += deleted;
            if deleted < BATCH.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}

#[async_trait]
impl Archive for PostgresArchive {
    async fn forget(&self, retention: Retention) -> Result<(u64, u64), Error> {
        let sagas = self.delete(UNDONE_SAGAS, retention.sagas).await?;
        Ok((sagas, self.delete(KEYS, retention.keys).await?))
    }

    async fn forget_erased(&self) -> Result<u64, Error> {
        personal::purge(&self.pool).await.map_err(database_error)
    }
}

//! Accounts that are being erased.

use async_trait::async_trait;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::security_events;
use crate::core::Error;
use crate::core::ports::{Erasing, ErasureRow, Erasures};
use crate::domain::Event;

/// Erasures in PostgreSQL.
pub struct PostgresErasures {
    pool: PgPool,
}

impl PostgresErasures {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Erasures for PostgresErasures {
    async fn take(
        &self,
        now: OffsetDateTime,
        until: OffsetDateTime,
        limit: i64,
    ) -> Result<Vec<Erasing>, Error> {
        let rows: Vec<(Uuid, i32, Vec<String>)> = sqlx::query_as(
            "update erasures set next_try_at = $2, tries = tries + 1
             where user_id in (
                 select user_id from erasures
                 where next_try_at <= $1 and finished_at is null
                 order by next_try_at limit $3 for update skip locked)
             returning user_id, tries, done",
        )
        .bind(now)
        .bind(until)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(|(user, tries, done)| Erasing { user, tries, done }).collect())
    }

    async fn note(&self, user: Uuid, workload: &str) -> Result<(), Error> {
        sqlx::query(
            "update erasures set done = array_append(done, $2)
             where user_id = $1 and not ($2 = any (done))",
        )
        .bind(user)
        .bind(workload)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn retry_at(&self, user: Uuid, at: OffsetDateTime) -> Result<(), Error> {
        sqlx::query("update erasures set next_try_at = $2 where user_id = $1")
            .bind(user)
            .bind(at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn finish(&self, user: Uuid, event: &Event) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let waiting: bool = sqlx::query_scalar(
            "select exists (select from outbox where key = $1 and sent_at is null)",
        )
        .bind(user.to_string())
        .fetch_one(&mut *tx)
        .await?;
        if waiting {
            return Ok(false);
        }
        // Sessions, second factor and requests for mails go with it.
        sqlx::query("delete from users where id = $1").bind(user).execute(&mut *tx).await?;
        sqlx::query(
            "update security_events set user_id = null, client_address = null, salt = null
             where user_id = $1",
        )
        .bind(user)
        .execute(&mut *tx)
        .await?;
        // Facts that were sent are kept for a while to be looked at; not these.
        sqlx::query("delete from outbox where key = $1")
            .bind(user.to_string())
            .execute(&mut *tx)
            .await?;
        sqlx::query("update erasures set finished_at = $2 where user_id = $1")
            .bind(user)
            .bind(event.at)
            .execute(&mut *tx)
            .await?;
        let nobody = Event { user: None, ..event.clone() };
        security_events::record(&mut tx, &nobody).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn list(
        &self,
        since: Option<OffsetDateTime>,
        before: Option<(OffsetDateTime, Uuid)>,
        limit: i64,
    ) -> Result<Vec<ErasureRow>, Error> {
        let (requested_at, user) = before.unzip();
        let rows: Vec<(Uuid, OffsetDateTime, Option<OffsetDateTime>)> = sqlx::query_as(
            "select user_id, requested_at, finished_at from erasures
             where ($1::timestamptz is null or finished_at is null or finished_at >= $1)
                 and ($2::timestamptz is null or (requested_at, user_id) < ($2, $3))
             order by requested_at desc, user_id desc limit $4",
        )
        .bind(since)
        .bind(requested_at)
        .bind(user)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let row =
            |(user, requested_at, finished_at)| ErasureRow { user, requested_at, finished_at };
        Ok(rows.into_iter().map(row).collect())
    }

    async fn begin(&self, user: Uuid, now: OffsetDateTime) -> Result<(), Error> {
        sqlx::query(
            "insert into erasures (user_id, requested_at, next_try_at) values ($1, $2, $2)
             on conflict (user_id) do update set
                 next_try_at = excluded.next_try_at, tries = 0, done = '{}', finished_at = null",
        )
        .bind(user)
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error> {
        sqlx::query("delete from erasures where finished_at < $1")
            .bind(limit)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

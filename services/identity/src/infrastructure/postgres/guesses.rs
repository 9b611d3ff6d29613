//! Guesses of passwords and codes, counted.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use crate::core::Error;
use crate::core::ports::Guesses;
use crate::domain::{Subject, guesses};

/// Guesses in PostgreSQL: replicas count together.
pub struct PostgresGuesses {
    pool: PgPool,
}

impl PostgresGuesses {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Guesses for PostgresGuesses {
    async fn count(&self, subjects: &[Subject], now: OffsetDateTime) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let mut subjects = subjects.to_vec();
        subjects.sort_by_key(|subject| subject.hash);
        for subject in &subjects {
            count(&mut tx, subject, now).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn take_back(&self, subjects: &[Subject]) -> Result<(), Error> {
        let hashes: Vec<&[u8]> = subjects.iter().map(|subject| subject.hash.as_slice()).collect();
        // In one order for all, as everywhere: whoever locks two rows.
        sqlx::query(
            "with taken as (
                 select subject from login_guesses where subject = any ($1)
                 order by subject for update)
             update login_guesses g set guesses = greatest(g.guesses - 1, 0)
             from taken where g.subject = taken.subject",
        )
        .bind(hashes)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn forgive(&self, subject: Subject) -> Result<(), Error> {
        sqlx::query("delete from login_guesses where subject = $1")
            .bind(subject.hash.as_slice())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error> {
        sqlx::query("delete from login_guesses where updated_at < $1 and blocked_until < now()")
            .bind(limit)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// The row is locked until the guess is counted: of many at once one comes after the
/// other, and finds the pause that the one before has made.
async fn count(
    connection: &mut PgConnection,
    subject: &Subject,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let (guesses, blocked_until): (i32, Option<OffsetDateTime>) = sqlx::query_as(
        "insert into login_guesses as g (subject, guesses, blocked_until, updated_at)
         values ($1, 0, '-infinity', $2)
         on conflict (subject) do update set
             guesses = case when g.updated_at < $3 then 0 else g.guesses end
         returning guesses, nullif(blocked_until, '-infinity')",
    )
    .bind(subject.hash.as_slice())
    .bind(now)
    .bind(now - guesses::MEMORY)
    .fetch_one(&mut *connection)
    .await?;
    if let Some(until) = blocked_until.filter(|until| *until > now) {
        return Err(Error::LoginThrottled(until - now));
    }
    let guesses = guesses.saturating_add(1);
    // No pause is none: clocks of replicas differ, and so do moments of requests.
    let pause = Some(subject.limit.pause(guesses)).filter(|pause| pause.is_positive());
    sqlx::query(
        "update login_guesses
         set guesses = $2, blocked_until = coalesce($3, '-infinity'), updated_at = $4
         where subject = $1",
    )
    .bind(subject.hash.as_slice())
    .bind(guesses)
    .bind(pause.map(|pause| now + pause))
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

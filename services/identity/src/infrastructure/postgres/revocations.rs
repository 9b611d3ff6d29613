//! Sessions that have ended, and applications that were taken away.

use async_trait::async_trait;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Revocations, Revoked, RevokedSince};

/// Revocations in PostgreSQL; triggers write them down.
pub struct PostgresRevocations {
    pool: PgPool,
}

impl PostgresRevocations {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// A revocation is seen when its transaction commits, which is later than it says: no
/// transaction of ours takes longer than the longest deadline of a method.
const LONGEST_TRANSACTION: Duration = Duration::seconds(30);

#[async_trait]
impl Revocations for PostgresRevocations {
    async fn since(&self, moment: Option<OffsetDateTime>) -> Result<RevokedSince, Error> {
        // One statement, one look: all that is not in it commits after `now`.
        let rows: Vec<(Option<Uuid>, Option<OffsetDateTime>, OffsetDateTime)> = sqlx::query_as(
            "select r.subject, r.revoked_at, clock.now
             from (select statement_timestamp() as now) clock
             left join revocations r on ($1::timestamptz is null or r.revoked_at >= $1)",
        )
        .bind(moment)
        .fetch_all(&self.pool)
        .await?;
        let now = rows.first().map(|(_, _, now)| *now);
        let now = now.ok_or_else(|| Error::internal("the database has no clock"))?;
        let revoked = |(subject, at, _)| Option::zip(subject, at);
        let revoked = rows.into_iter().filter_map(revoked);
        let revoked = revoked.map(|(subject, at)| Revoked { subject, at }).collect();
        Ok(RevokedSince { revoked, next: now - LONGEST_TRANSACTION })
    }

    async fn forget(&self, limit: OffsetDateTime) -> Result<(), Error> {
        sqlx::query("delete from revocations where revoked_at < $1")
            .bind(limit)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

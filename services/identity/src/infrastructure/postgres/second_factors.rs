//! Second factors; their secrets are sealed.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretSlice};
use sqlx::PgPool;
use uuid::Uuid;

use super::security_events;
use crate::core::Error;
use crate::core::ports::{Factor, SecondFactors};
use crate::domain::{Event, TokenHash};
use crate::infrastructure::sealing::Sealing;

/// Second factors in PostgreSQL.
pub struct PostgresSecondFactors {
    pool: PgPool,
    sealing: Arc<Sealing>,
}

impl PostgresSecondFactors {
    pub fn new(pool: PgPool, sealing: Arc<Sealing>) -> Self {
        Self { pool, sealing }
    }
}

/// What a secret is sealed for.
fn of(user: Uuid) -> String {
    format!("second_factors/{user}")
}

#[async_trait]
impl SecondFactors for PostgresSecondFactors {
    async fn get(&self, user: Uuid) -> Result<Option<Factor>, Error> {
        let row: Option<(Vec<u8>, bool, i64)> = sqlx::query_as(
            "select secret, confirmed_at is not null, last_step from second_factors
             where user_id = $1",
        )
        .bind(user)
        .fetch_optional(&self.pool)
        .await?;
        let factor = |(secret, active, last_step): (Vec<u8>, _, _)| {
            let secret = self.sealing.open(&of(user), &secret)?;
            Ok(Factor { secret, active, last_step })
        };
        row.map(factor).transpose()
    }

    async fn begin(&self, user: Uuid, secret: &SecretSlice<u8>) -> Result<bool, Error> {
        let sealed = self.sealing.seal(&of(user), secret.expose_secret())?;
        let begun = sqlx::query(
            "insert into second_factors (user_id, secret) values ($1, $2)
             on conflict (user_id) do update set secret = excluded.secret, last_step = 0
                 where second_factors.confirmed_at is null",
        )
        .bind(user)
        .bind(sealed)
        .execute(&self.pool)
        .await?;
        Ok(begun.rows_affected() == 1)
    }

    async fn confirm(
        &self,
        user: Uuid,
        step: i64,
        codes: &[TokenHash],
        event: &Event,
    ) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let confirmed = sqlx::query(
            "update second_factors set confirmed_at = $2, last_step = $3
             where user_id = $1 and confirmed_at is null and last_step < $3",
        )
        .bind(user)
        .bind(event.at)
        .bind(step)
        .execute(&mut *tx)
        .await?;
        if confirmed.rows_affected() == 0 {
            return Ok(false);
        }
        let hashes: Vec<&[u8]> = codes.iter().map(|code| code.0.as_slice()).collect();
        sqlx::query(
            "insert into recovery_codes (user_id, code_hash) select $1, unnest($2::bytea[])",
        )
        .bind(user)
        .bind(hashes)
        .execute(&mut *tx)
        .await?;
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn take_step(&self, user: Uuid, step: i64) -> Result<bool, Error> {
        let taken = sqlx::query(
            "update second_factors set last_step = $2 where user_id = $1 and last_step < $2",
        )
        .bind(user)
        .bind(step)
        .execute(&self.pool)
        .await?;
        Ok(taken.rows_affected() == 1)
    }

    async fn take_recovery_code(
        &self,
        user: Uuid,
        code: TokenHash,
        event: &Event,
    ) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let taken = sqlx::query("delete from recovery_codes where user_id = $1 and code_hash = $2")
            .bind(user)
            .bind(code.0.as_slice())
            .execute(&mut *tx)
            .await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        security_events::record(&mut tx, event).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn remove(&self, user: Uuid, event: &Event) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        sqlx::query("delete from second_factors where user_id = $1")
            .bind(user)
            .execute(&mut *tx)
            .await?;
        security_events::record(&mut tx, event).await?;
        Ok(tx.commit().await?)
    }
}

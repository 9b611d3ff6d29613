//! The stock of products and the trail of its adjustments.

use async_trait::async_trait;
use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{failed, publish_low};
use crate::core::Error;
use crate::core::ports::Stocks;
use crate::domain::{Adjustment, Level, Stock};

/// The tables `stock` and `adjustments`.
pub struct PostgresStock {
    pool: PgPool,
    /// Stock that falls to this many pieces or fewer is low.
    threshold: i64,
}

impl PostgresStock {
    pub fn new(pool: PgPool, threshold: i64) -> Self {
        Self { pool, threshold }
    }

    async fn adjust_once(
        &self,
        tx: &mut PgConnection,
        adjustment: &Adjustment,
        now: OffsetDateTime,
    ) -> Result<Stock, Error> {
        let Adjustment { product, delta, .. } = adjustment;
        lock_key(tx, adjustment).await?;
        if let Some(before) = earlier(tx, adjustment).await? {
            return before;
        }
        let row = if *delta > 0 {
            add(tx, *product, *delta, now).await?
        } else {
            take(tx, *product, *delta, now).await?
        };
        record(tx, adjustment, &row).await?;
        let before = row.available - delta;
        publish_low(tx, *product, before, row.available, self.threshold).await?;
        Ok(row.stock(*product))
    }
}

#[async_trait]
impl Stocks for PostgresStock {
    async fn get(&self, product: Uuid) -> Result<Stock, Error> {
        let row = sqlx::query_as::<_, Row>(
            "select available, reserved, updated_at from stock where product_id = $1",
        )
        .bind(product)
        .fetch_optional(&self.pool)
        .await
        .map_err(failed)?;
        let none = Stock { product, level: Level::default(), updated: None };
        Ok(row.map_or(none, |row| row.stock(product)))
    }

    async fn adjust(&self, adjustment: &Adjustment, now: OffsetDateTime) -> Result<Stock, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        let stock = self.adjust_once(&mut tx, adjustment, now).await?;
        tx.commit().await.map_err(failed)?;
        Ok(stock)
    }
}

/// Makes adjustments with the same key wait for each other.
async fn lock_key(tx: &mut PgConnection, adjustment: &Adjustment) -> Result<(), Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("{}/{}", adjustment.user, adjustment.key))
        .execute(tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// What came of the adjustment with this key, if there was one; a refusal if it
/// was another adjustment.
async fn earlier(
    tx: &mut PgConnection,
    adjustment: &Adjustment,
) -> Result<Option<Result<Stock, Error>>, Error> {
    let Adjustment { user, key, product, delta, reason } = adjustment;
    let found = sqlx::query_as::<_, Earlier>(
        "select product_id = $3 and delta = $4 and reason = $5 as same,
                available, reserved, adjusted_at as updated_at
         from adjustments
         where user_id = $1 and idempotency_key = $2",
    )
    .bind(user)
    .bind(key)
    .bind(product)
    .bind(delta)
    .bind(reason)
    .fetch_optional(tx)
    .await
    .map_err(failed)?;
    Ok(found.map(|e| if e.same { Ok(e.row.stock(*product)) } else { Err(Error::KeyReused) }))
}

async fn add(
    tx: &mut PgConnection,
    product: Uuid,
    delta: i64,
    now: OffsetDateTime,
) -> Result<Row, Error> {
    sqlx::query_as(
        "insert into stock (product_id, available, reserved, updated_at)
         values ($1, $2, 0, $3)
         on conflict (product_id) do update
         set available = stock.available + excluded.available, updated_at = excluded.updated_at
         returning available, reserved, updated_at",
    )
    .bind(product)
    .bind(delta)
    .bind(now)
    .fetch_one(tx)
    .await
    .map_err(failed)
}

async fn take(
    tx: &mut PgConnection,
    product: Uuid,
    delta: i64,
    now: OffsetDateTime,
) -> Result<Row, Error> {
    let taken = sqlx::query_as(
        "update stock
         set available = available + $2, updated_at = $3
         where product_id = $1 and available + $2 >= 0
         returning available, reserved, updated_at",
    )
    .bind(product)
    .bind(delta)
    .bind(now)
    .fetch_optional(&mut *tx)
    .await
    .map_err(failed)?;
    match taken {
        Some(row) => Ok(row),
        None => Err(Error::TooFewAvailable { available: available(tx, product).await? }),
    }
}

async fn available(tx: &mut PgConnection, product: Uuid) -> Result<i64, Error> {
    let available = sqlx::query_scalar("select available from stock where product_id = $1")
        .bind(product)
        .fetch_optional(tx)
        .await
        .map_err(failed)?;
    Ok(available.unwrap_or(0))
}

async fn record(tx: &mut PgConnection, adjustment: &Adjustment, row: &Row) -> Result<(), Error> {
    let Adjustment { user, key, product, delta, reason } = adjustment;
    sqlx::query(
        "insert into adjustments (user_id, idempotency_key, product_id, delta, reason,
                                  available, reserved, adjusted_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(user)
    .bind(key)
    .bind(product)
    .bind(delta)
    .bind(reason)
    .bind(row.available)
    .bind(row.reserved)
    .bind(row.updated_at)
    .execute(tx)
    .await
    .map_err(failed)?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    available: i64,
    reserved: i64,
    updated_at: OffsetDateTime,
}

impl Row {
    fn stock(&self, product: Uuid) -> Stock {
        let level = Level { available: self.available, reserved: self.reserved };
        Stock { product, level, updated: Some(self.updated_at) }
    }
}

#[derive(FromRow)]
struct Earlier {
    same: bool,
    #[sqlx(flatten)]
    row: Row,
}

//! The reservations of orders.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::moves::{self, Moved};
use super::{failed, publish_low};
use crate::core::Error;
use crate::core::ports::Reservations;
use crate::domain::{Move, State, Wanted, shortages};

/// The tables `reservations` and `reservation_lines`.
pub struct PostgresReservations {
    pool: PgPool,
    /// Stock that falls to this many pieces or fewer is low.
    threshold: i64,
}

impl PostgresReservations {
    pub fn new(pool: PgPool, threshold: i64) -> Self {
        Self { pool, threshold }
    }
}

#[async_trait]
impl Reservations for PostgresReservations {
    async fn reserve(
        &self,
        order: Uuid,
        wanted: &[Wanted],
        ttl: Duration,
        now: OffsetDateTime,
    ) -> Result<OffsetDateTime, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        let until = match claim(&mut tx, order, State::Held, ttl, now).await? {
            Claim::Found(State::Held, until) => until,
            Claim::Found(state, _) => return Err(Error::Closed(state)),
            Claim::New(until) => {
                if let Err(error) = take(&mut tx, order, wanted, self.threshold, now).await {
                    // Frees the stock for the next buyer before this one is told.
                    tx.rollback().await.map_err(failed)?;
                    return Err(error);
                }
                until
            }
        };
        tx.commit().await.map_err(failed)?;
        Ok(until)
    }

    async fn commit(&self, order: Uuid, now: OffsetDateTime) -> Result<(), Error> {
        if moves::sell(&self.pool, order, now).await? {
            return Ok(());
        }
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        match lock(&mut tx, order).await?.ok_or(Error::ReservationNotFound(order))? {
            (State::Committed, _) => Ok(()),
            // Reserved while the statement above ran, which could not see it yet.
            (State::Held, _) => {
                moves::apply(&mut tx, &[order], Move::Sell, now).await.map_err(failed)?;
                close(&mut tx, order, State::Committed, now).await?;
                tx.commit().await.map_err(failed)
            }
            (State::Expired, _) => {
                sell_late(&mut tx, order, self.threshold, now).await?;
                tx.commit().await.map_err(failed)
            }
            (state, _) => Err(Error::Closed(state)),
        }
    }

    async fn release(&self, order: Uuid, now: OffsetDateTime) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        if let Claim::Found(state, _) =
            claim(&mut tx, order, State::Released, Duration::ZERO, now).await?
            && let Some(pieces) = state.release()
        {
            moves::apply(&mut tx, &[order], pieces, now).await.map_err(failed)?;
            close(&mut tx, order, State::Released, now).await?;
        }
        tx.commit().await.map_err(failed)
    }

    async fn expire(&self, now: OffsetDateTime, limit: usize) -> Result<usize, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(failed)?;
        let orders: Vec<Uuid> = sqlx::query_scalar(
            "update reservations
             set state = 'expired', updated_at = $1
             where order_id = any(array(
                 select order_id
                 from reservations
                 where state = 'held' and expires_at <= now()
                 order by expires_at
                 limit $2
                 for update skip locked
             ))
             returning order_id",
        )
        .bind(now)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await
        .map_err(failed)?;
        if !orders.is_empty() {
            moves::apply(&mut tx, &orders, Move::PutBack, now).await.map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        Ok(orders.len())
    }

    async fn purge(&self, closed_before: OffsetDateTime, limit: usize) -> Result<usize, Error> {
        let purged = sqlx::query(
            "with old as (
                 select order_id
                 from reservations
                 where state <> 'held' and updated_at < $1
                 limit $2
                 for update skip locked
             ), lines as (
                 delete from reservation_lines where order_id in (select order_id from old)
             )
             delete from reservations where order_id in (select order_id from old)",
        )
        .bind(closed_before)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        Ok(usize::try_from(purged.rows_affected()).unwrap_or(usize::MAX))
    }
}

/// An order's reservation, locked until the transaction ends.
enum Claim {
    /// Made just now.
    New(OffsetDateTime),
    /// Made before: its state, and when it expires.
    Found(State, OffsetDateTime),
}

/// Makes the order's reservation, or finds the one that there is.
async fn claim(
    tx: &mut PgConnection,
    order: Uuid,
    state: State,
    ttl: Duration,
    now: OffsetDateTime,
) -> Result<Claim, Error> {
    let made: Option<OffsetDateTime> = sqlx::query_scalar(
        "insert into reservations (order_id, state, expires_at, created_at, updated_at)
         values ($1, $2, now() + make_interval(secs => $3), $4, $4)
         on conflict (order_id) do nothing
         returning expires_at",
    )
    .bind(order)
    .bind(state.name())
    .bind(ttl.as_seconds_f64())
    .bind(now)
    .fetch_optional(&mut *tx)
    .await
    .map_err(failed)?;
    if let Some(until) = made {
        return Ok(Claim::New(until));
    }
    let found = lock(tx, order).await?;
    let (state, until) = found.ok_or_else(|| Error::internal("a reservation was deleted"))?;
    Ok(Claim::Found(state, until))
}

async fn lock(
    tx: &mut PgConnection,
    order: Uuid,
) -> Result<Option<(State, OffsetDateTime)>, Error> {
    let found: Option<(String, OffsetDateTime)> =
        sqlx::query_as("select state, expires_at from reservations where order_id = $1 for update")
            .bind(order)
            .fetch_optional(tx)
            .await
            .map_err(failed)?;
    let Some((name, expires)) = found else { return Ok(None) };
    let state = State::from_name(&name);
    let state = state.ok_or_else(|| Error::internal(format!("unknown state {name}")))?;
    Ok(Some((state, expires)))
}

/// Sells an order whose reservation ran out what is still there; it was promised.
async fn sell_late(
    tx: &mut PgConnection,
    order: Uuid,
    threshold: i64,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let moved = moves::apply(tx, &[order], Move::SellLate, now).await;
    let gone = |error: &sqlx::Error| {
        let constraint = error.as_database_error().and_then(|e| e.constraint());
        constraint == Some("stock_available_not_negative")
    };
    let moved =
        moved.map_err(|e| if gone(&e) { Error::Closed(State::Expired) } else { failed(e) })?;
    for Moved { product_id, before, after } in moved {
        publish_low(tx, product_id, before, after, threshold).await?;
    }
    close(tx, order, State::Committed, now).await
}

async fn close(
    tx: &mut PgConnection,
    order: Uuid,
    state: State,
    now: OffsetDateTime,
) -> Result<(), Error> {
    sqlx::query("update reservations set state = $2, updated_at = $3 where order_id = $1")
        .bind(order)
        .bind(state.name())
        .bind(now)
        .execute(tx)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Takes all that is wanted out of the available stock, or fails: then roll back.
///
/// Two statements: in one, what a row lock has waited for is not always what the rest
/// of the statement sees.
async fn take(
    tx: &mut PgConnection,
    order: Uuid,
    wanted: &[Wanted],
    threshold: i64,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let products: Vec<Uuid> = wanted.iter().map(|w| w.product).collect();
    let before = available(tx, &products).await?;
    let short = shortages(wanted, &before);
    if !short.is_empty() {
        return Err(Error::Short(short));
    }
    let taken = set_aside(tx, order, wanted, now).await?;
    if taken.len() != wanted.len() {
        return Err(Error::internal("locked stock changed"));
    }
    for (product, after) in taken {
        publish_low(tx, product, before[&product], after, threshold).await?;
    }
    Ok(())
}

/// Locks stock by product id and answers how much of it is available.
async fn available(tx: &mut PgConnection, products: &[Uuid]) -> Result<BTreeMap<Uuid, i64>, Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select product_id, available
         from stock
         where product_id = any($1)
         order by product_id
         for no key update",
    )
    .bind(products)
    .fetch_all(tx)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().collect())
}

/// Answers what is still available of each product that there was enough of.
async fn set_aside(
    tx: &mut PgConnection,
    order: Uuid,
    wanted: &[Wanted],
    now: OffsetDateTime,
) -> Result<Vec<(Uuid, i64)>, Error> {
    let (products, quantities): (Vec<Uuid>, Vec<i64>) =
        wanted.iter().map(|w| (w.product, w.quantity)).unzip();
    sqlx::query_as(
        "with taken as (
             update stock s
             set available = s.available - w.quantity,
                 reserved = s.reserved + w.quantity,
                 updated_at = $4
             from unnest($2::uuid[], $3::bigint[]) as w (product_id, quantity)
             where s.product_id = w.product_id and s.available >= w.quantity
             returning s.product_id, s.available, w.quantity
         ), noted as (
             insert into reservation_lines (order_id, product_id, quantity)
             select $1, product_id, quantity from taken
         )
         select product_id, available from taken",
    )
    .bind(order)
    .bind(products)
    .bind(quantities)
    .bind(now)
    .fetch_all(tx)
    .await
    .map_err(failed)
}

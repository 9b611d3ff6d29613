//! The pieces of reservations on their way out of reserved.

use sqlx::{FromRow, PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::failed;
use crate::core::Error;
use crate::domain::{Move, State};

/// Moves all pieces of these orders, whose reservations the caller has locked.
///
/// An update takes rows in whatever order it finds them; `locked` takes them by id
/// first.
pub(super) async fn apply(
    tx: &mut PgConnection,
    orders: &[Uuid],
    pieces: Move,
    now: OffsetDateTime,
) -> Result<Vec<Moved>, sqlx::Error> {
    let (available, reserved) = pieces.of_one();
    sqlx::query_as(
        "with lines as (
             select product_id, sum(quantity)::bigint as quantity
             from reservation_lines
             where order_id = any($1)
             group by product_id
         ), locked as (
             select s.product_id, l.quantity
             from stock s
             join lines l using (product_id)
             order by s.product_id
             for no key update of s
         )
         update stock s
         set available = s.available + $2 * l.quantity,
             reserved = s.reserved + $3 * l.quantity,
             updated_at = $4
         from locked l
         where s.product_id = l.product_id
         returning s.product_id, s.available as after, s.available - $2 * l.quantity as before",
    )
    .bind(orders)
    .bind(available)
    .bind(reserved)
    .bind(now)
    .fetch_all(tx)
    .await
}

/// A product and how much of it was, and is, available.
#[derive(FromRow)]
pub(super) struct Moved {
    pub(super) product_id: Uuid,
    pub(super) before: i64,
    pub(super) after: i64,
}

/// Sells what an order holds; false when it holds nothing. One statement that is
/// its own transaction: a hot row is locked for as long as a bare update locks it.
pub(super) async fn sell(pool: &PgPool, order: Uuid, now: OffsetDateTime) -> Result<bool, Error> {
    let (available, reserved) = Move::Sell.of_one();
    let sold: i64 = sqlx::query_scalar(
        "with sold as (
             update reservations
             set state = $2, updated_at = $4
             where order_id = $1 and state = $3
             returning order_id
         ), locked as (
             select s.product_id, l.quantity
             from sold
             join reservation_lines l using (order_id)
             join stock s using (product_id)
             order by s.product_id
             for no key update of s
         ), moved as (
             update stock s
             set available = s.available + $5 * l.quantity,
                 reserved = s.reserved + $6 * l.quantity,
                 updated_at = $4
             from locked l
             where s.product_id = l.product_id
         )
         select count(*) from sold",
    )
    .bind(order)
    .bind(State::Committed.name())
    .bind(State::Held.name())
    .bind(now)
    .bind(available)
    .bind(reserved)
    .fetch_one(pool)
    .await
    .map_err(failed)?;
    Ok(sold == 1)
}

//! The pieces of reservations on their way out of reserved.

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::failed;
use crate::core::Error;
use crate::domain::Move;

/// Moves all pieces of these orders, whose reservations the caller has locked.
pub(super) async fn apply(
    tx: &mut PgConnection,
    orders: &[Uuid],
    pieces: Move,
    now: OffsetDateTime,
) -> Result<(), Error> {
    lock(tx, orders).await?;
    let (available, reserved) = pieces.of_one();
    sqlx::query(
        "update stock s
         set available = s.available + $2 * l.quantity,
             reserved = s.reserved + $3 * l.quantity,
             updated_at = $4
         from (
             select product_id, sum(quantity)::bigint as quantity
             from reservation_lines
             where order_id = any($1)
             group by product_id
         ) l
         where s.product_id = l.product_id",
    )
    .bind(orders)
    .bind(available)
    .bind(reserved)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed)?;
    Ok(())
}

/// An update takes rows in whatever order it finds them; this takes them by id.
async fn lock(tx: &mut PgConnection, orders: &[Uuid]) -> Result<(), Error> {
    sqlx::query(
        "select 1
         from stock
         where product_id in (select product_id from reservation_lines where order_id = any($1))
         order by product_id
         for update",
    )
    .bind(orders)
    .execute(tx)
    .await
    .map_err(failed)?;
    Ok(())
}

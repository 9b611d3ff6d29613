//! Sagas as rows.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use tracing::Span;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::Leased;
use crate::domain::{Direction, Kind, Order, OrderState, PaymentToken, Progress, Saga, Step};
use crate::infrastructure::database_error;
use crate::infrastructure::order_rows::{self, OrderRow, order_columns};

/// The columns of a [`SagaRow`].
macro_rules! saga_columns {
    () => {
        "order_id, kind, direction, step, status, reason, payment_token, payment_id, attempts, \
         last_error, lease_owner, version, started_at, deadline_at, traceparent"
    };
}

pub(super) use saga_columns;

const ORDERS: &str = concat!("select ", order_columns!(), " from orders where id = any($1)");

/// A saga that was just leased.
#[derive(sqlx::FromRow)]
pub(super) struct SagaRow {
    order_id: Uuid,
    kind: String,
    direction: String,
    step: String,
    status: String,
    reason: Option<String>,
    payment_token: Option<String>,
    payment_id: Option<Uuid>,
    attempts: i32,
    last_error: Option<String>,
    lease_owner: Uuid,
    version: i64,
    started_at: OffsetDateTime,
    deadline_at: OffsetDateTime,
    traceparent: Option<String>,
}

/// Leases the saga of an order if nobody drives it.
pub(super) async fn take(
    conn: &mut PgConnection,
    order: Uuid,
    lease_seconds: f64,
) -> Result<Option<Leased>, Error> {
    let rows = sqlx::query_as(concat!(
        "update sagas
         set lease_owner = gen_random_uuid(), version = version + 1,
             lease_until = now() + make_interval(secs => $2)
         where order_id = $1 and (lease_until is null or lease_until < now())
         returning ",
        saga_columns!()
    ))
    .bind(order)
    .bind(lease_seconds)
    .fetch_all(&mut *conn)
    .await
    .map_err(database_error)?;
    each_with_order(conn, rows).await?.pop().transpose()
}

/// Reads the orders of sagas and puts them together. What this build does not
/// understand, as when a newer one wrote it, does not spoil the others.
pub(super) async fn each_with_order(
    conn: &mut PgConnection,
    rows: Vec<SagaRow>,
) -> Result<Vec<Result<Leased, Error>>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.order_id).collect();
    let orders: Vec<OrderRow> =
        sqlx::query_as(ORDERS).bind(&ids).fetch_all(&mut *conn).await.map_err(database_error)?;
    let ids: Vec<Uuid> = orders.iter().map(|row| row.id).collect();
    let orders = order_rows::each_with_lines(conn, orders).await?;
    let mut orders: HashMap<Uuid, Result<Order, Error>> = ids.into_iter().zip(orders).collect();
    let join = |row: SagaRow| {
        let missing = || Err(Error::Internal("a saga has no order".to_owned()));
        let order = orders.remove(&row.order_id).unwrap_or_else(missing)?;
        row.into_leased(order)
    };
    Ok(rows.into_iter().map(join).collect())
}

impl SagaRow {
    fn into_leased(self, order: Order) -> Result<Leased, Error> {
        let unknown = |what: &str| Error::Internal(format!("a saga is stored with {what}"));
        let running = self.status == "running";
        let order_version = order.version;
        let saga = Saga {
            order,
            kind: Kind::named(&self.kind).ok_or_else(|| unknown(&self.kind))?,
            direction: Direction::named(&self.direction).ok_or_else(|| unknown(&self.direction))?,
            step: Step::named(&self.step).ok_or_else(|| unknown(&self.step))?,
            progress: if running { Progress::Running } else { Progress::Done },
            reason: self.reason,
            payment_token: self.payment_token.map(PaymentToken),
            payment_id: self.payment_id,
            attempts: u32::try_from(self.attempts).unwrap_or_default(),
            last_error: self.last_error,
            started_at: self.started_at,
            deadline_at: self.deadline_at,
        };
        let span = belonging(self.traceparent.as_deref());
        Ok(Leased { saga, owner: self.lease_owner, version: self.version, order_version, span })
    }
}

/// The request that takes a saga, or, where it is taken by none, the one that began it.
fn belonging(traceparent: Option<&str>) -> Span {
    let span = Span::current();
    if !span.is_none() {
        return span;
    }
    let resumed = tracing::info_span!("resume saga");
    telemetry::set_parent(&resumed, traceparent);
    resumed
}

/// Writes down a new saga, leased for so many seconds.
pub(super) async fn insert(
    conn: &mut PgConnection,
    leased: &Leased,
    lease_seconds: f64,
) -> Result<(), sqlx::Error> {
    let Leased { saga, owner, version, .. } = leased;
    sqlx::query(
        "insert into sagas (order_id, kind, direction, step, status, payment_token, attempts,
             next_run_at, lease_owner, lease_until, version, started_at, deadline_at, traceparent)
         values ($1, $2, $3, $4, 'running', $5, 0, now(), $6,
             now() + make_interval(secs => $7), $8, $9, $10, $11)",
    )
    .bind(saga.order.id)
    .bind(saga.kind.name())
    .bind(saga.direction.name())
    .bind(saga.step.name())
    .bind(saga.payment_token.as_ref().map(|token| &token.0))
    .bind(owner)
    .bind(lease_seconds)
    .bind(version)
    .bind(saga.started_at)
    .bind(saga.deadline_at)
    .bind(telemetry::traceparent())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down the saga of an order that was sold as it was at its end, where it is
/// forgotten: it is about to be turned back.
pub(super) async fn restore(conn: &mut PgConnection, order: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into sagas (order_id, kind, direction, step, status, payment_id, attempts,
             next_run_at, version, started_at, deadline_at)
         select id, $2, $3, $4, 'done', payment_id, 0, now(), 1, created_at, updated_at
         from orders where id = $1 and state = $5
         on conflict on constraint sagas_pkey do nothing",
    )
    .bind(order)
    .bind(Kind::Checkout.name())
    .bind(Direction::Forward.name())
    .bind(Step::Settle.name())
    .bind(OrderState::Confirmed.name())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down where a saga stands, if the lease is still the writer's. While the
/// saga runs the lease is renewed; otherwise it is given up.
pub(super) async fn update(
    conn: &mut PgConnection,
    leased: &Leased,
    lease_seconds: f64,
) -> Result<bool, sqlx::Error> {
    let saga = &leased.saga;
    let (status, pause) = match saga.progress {
        Progress::Running => ("running", 0.0),
        Progress::Paused(pause) => ("running", pause.as_secs_f64()),
        Progress::Done => ("done", 0.0),
    };
    let lease = (saga.progress == Progress::Running).then_some(lease_seconds);
    let written = sqlx::query(
        "update sagas
         set kind = $4, direction = $5, step = $6, status = $7, reason = $8, payment_token = $9,
             payment_id = $10, attempts = $11, last_error = $12, started_at = $13,
             deadline_at = $14, next_run_at = now() + make_interval(secs => $15),
             lease_owner = case when $16::double precision is null then null else lease_owner end,
             lease_until = now() + make_interval(secs => $16::double precision),
             version = version + 1
         where order_id = $1 and lease_owner = $2 and version = $3",
    )
    .bind(saga.order.id)
    .bind(leased.owner)
    .bind(leased.version)
    .bind(saga.kind.name())
    .bind(saga.direction.name())
    .bind(saga.step.name())
    .bind(status)
    .bind(saga.reason.as_deref())
    .bind(saga.payment_token.as_ref().map(|token| &token.0))
    .bind(saga.payment_id)
    .bind(i32::try_from(saga.attempts).unwrap_or(i32::MAX))
    .bind(saga.last_error.as_deref())
    .bind(saga.started_at)
    .bind(saga.deadline_at)
    .bind(pause)
    .bind(lease)
    .execute(conn)
    .await?;
    Ok(written.rows_affected() == 1)
}

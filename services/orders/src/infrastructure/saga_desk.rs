//! Sagas as operators see them, and what they do with them.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::postgres_sagas::PostgresSagas;
use crate::core::Error;
use crate::core::ports::{Census, Deed, Done, Filter, Leased, Overview, SagaDesk};
use crate::domain::{Direction, Kind, NotCompensable, OrderState, Step};
use crate::infrastructure::{database_error, saga_rows};

/// The most deeds shown with a saga.
const DEEDS: i64 = 100;

/// The columns of an [`OverviewRow`].
macro_rules! columns {
    () => {
        "order_id, order_state, kind, direction, step, ended, reason, attempts, last_error, \
         started_at, deadline_at, overdue, next_run_at, leased_until"
    };
}

const FIND: &str = concat!("select ", columns!(), " from saga_overview where order_id = $1");

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from saga_overview
     where not ended and ($1::uuid is null or order_id > $1)
         and (not $2 or leased_until is not null) and (not $3 or overdue)
     order by order_id limit $4"
);

#[derive(sqlx::FromRow)]
struct OverviewRow {
    order_id: Uuid,
    order_state: String,
    kind: String,
    direction: String,
    step: String,
    ended: bool,
    reason: Option<String>,
    attempts: i32,
    last_error: Option<String>,
    started_at: OffsetDateTime,
    deadline_at: OffsetDateTime,
    overdue: bool,
    next_run_at: Option<OffsetDateTime>,
    leased_until: Option<OffsetDateTime>,
}

#[async_trait]
impl SagaDesk for PostgresSagas {
    async fn count(&self) -> Result<Census, Error> {
        let running = sqlx::query_as(
            "select direction, step, count(*) from sagas where status = 'running' group by 1, 2",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(database_error)?;
        let (overdue, oldest_seconds) = sqlx::query_as(
            "select count(*) filter (where deadline_at < now()),
                 coalesce(extract(epoch from now() - min(started_at)), 0)::float8
             from sagas where status = 'running'",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(database_error)?;
        Ok(Census { running, overdue, oldest_seconds })
    }

    async fn list(
        &self,
        filter: Filter,
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<Overview>, Error> {
        let rows: Vec<OverviewRow> = sqlx::query_as(LIST)
            .bind(after)
            .bind(filter == Filter::Driven)
            .bind(filter == Filter::Overdue)
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(database_error)?;
        rows.into_iter().map(|row| row.into_overview(Vec::new())).collect()
    }

    async fn find(&self, order: Uuid) -> Result<Option<Overview>, Error> {
        let mut conn = self.pool.acquire().await.map_err(database_error)?;
        overview(&mut conn, order).await
    }

    async fn retry(&self, order: Uuid, deed: &Deed) -> Result<Option<Overview>, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(database_error)?;
        let due = sqlx::query(
            "update sagas
             set next_run_at = now(), attempts = 0, lease_owner = null, lease_until = null,
                 version = version + 1
             where order_id = $1 and status = 'running'
                 and (lease_until is null or lease_until < now())",
        )
        .bind(order)
        .execute(&mut *tx)
        .await
        .map_err(database_error)?;
        if due.rows_affected() == 0 {
            let saga = overview(&mut tx, order).await?.ok_or(Error::SagaNotFound)?;
            return if saga.ended { Err(Error::SagaEnded) } else { Ok(None) };
        }
        record(&mut tx, order, "saga.retry", deed, "due now").await?;
        let saga = overview(&mut tx, order).await?;
        tx.commit().await.map_err(database_error)?;
        Ok(saga)
    }

    async fn compensate(
        &self,
        order: Uuid,
        allowance: Duration,
        deed: &Deed,
    ) -> Result<Option<Leased>, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(database_error)?;
        let Some(mut leased) = saga_rows::take(&mut tx, order, self.lease_seconds).await? else {
            let saga = overview(&mut tx, order).await?;
            return saga.map(|_| None).ok_or(Error::SagaNotFound);
        };
        let from = leased.saga.step;
        leased.saga.compensate(types::now(), allowance).map_err(|refusal| match refusal {
            NotCompensable::Ended => Error::SagaEnded,
            NotCompensable::GoesBackward => Error::SagaGoesBackward,
        })?;
        self.write(&mut tx, &mut leased, None).await?;
        let outcome = format!("goes backward from {}", from.name());
        record(&mut tx, order, "saga.compensate", deed, &outcome).await?;
        tx.commit().await.map_err(database_error)?;
        Ok(Some(leased))
    }
}

/// Writes down who did what to a saga, in the transaction of its effect.
async fn record(
    conn: &mut PgConnection,
    order: Uuid,
    action: &str,
    deed: &Deed,
    outcome: &str,
) -> Result<(), Error> {
    let Deed { actor, why } = deed;
    let target = order.to_string();
    let action = audit::Action { actor: *actor, action, target: &target, why, outcome };
    audit::record(conn, &action).await.map_err(database_error)?;
    Ok(())
}

async fn overview(conn: &mut PgConnection, order: Uuid) -> Result<Option<Overview>, Error> {
    let row: Option<OverviewRow> = sqlx::query_as(FIND)
        .bind(order)
        .fetch_optional(&mut *conn)
        .await
        .map_err(database_error)?;
    let Some(row) = row else { return Ok(None) };
    let deeds = audit::of(conn, &order.to_string(), DEEDS).await.map_err(database_error)?;
    let done = |entry: audit::Entry| {
        let audit::Entry { id: _, at, actor, action, target: _, why, outcome } = entry;
        Done { at, deed: Deed { actor, why }, action, outcome }
    };
    row.into_overview(deeds.into_iter().map(done).collect()).map(Some)
}

impl OverviewRow {
    fn into_overview(self, deeds: Vec<Done>) -> Result<Overview, Error> {
        let unknown = |what: &str| Error::Internal(format!("a saga is stored with {what}"));
        Ok(Overview {
            order_id: self.order_id,
            order_state: OrderState::named(&self.order_state)
                .ok_or_else(|| unknown(&self.order_state))?,
            kind: Kind::named(&self.kind).ok_or_else(|| unknown(&self.kind))?,
            direction: Direction::named(&self.direction).ok_or_else(|| unknown(&self.direction))?,
            step: Step::named(&self.step).ok_or_else(|| unknown(&self.step))?,
            ended: self.ended,
            reason: self.reason,
            attempts: self.attempts,
            last_error: self.last_error,
            started_at: self.started_at,
            deadline_at: self.deadline_at,
            overdue: self.overdue,
            next_run_at: self.next_run_at,
            leased_until: self.leased_until,
            deeds,
        })
    }
}

//! Payments and closed orders.

use std::time::Duration;

use async_trait::async_trait;
use grpc::convert;
use proto::payments::v1::{PaymentAuthorized, PaymentCaptured, PaymentFailed};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::row::{self, PaymentRow, payment_columns};
use super::{ledger, seconds};
use crate::core::ports::{Begun, PaymentKey, PaymentRepository};
use crate::core::{Error, figures};
use crate::domain::{Event, Payment, State};

const FIND: &str = concat!("select ", payment_columns!(), " from payments where id = $1");

const OF_ORDER: &str = concat!("select ", payment_columns!(), " from payments where order_id = $1");

/// Payments in PostgreSQL.
pub struct PostgresPayments {
    pool: PgPool,
    /// The age at which the provider is asked about an unknown outcome.
    check_after: Duration,
}

impl PostgresPayments {
    pub fn new(pool: PgPool, check_after: Duration) -> Self {
        Self { pool, check_after }
    }
}

#[async_trait]
impl PaymentRepository for PostgresPayments {
    async fn begin(&self, new: &Payment) -> Result<Begun, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        lock_order(&mut tx, new.order_id, Some(new.user_id)).await?;
        let mut found = insert_unless_closed(&mut tx, new, self.check_after).await?;
        if found.is_none() {
            found = of_order(&mut tx, new.order_id).await?;
        }
        tx.commit().await?;
        match found {
            Some(row) => Ok(Begun::Payment(Box::new(row.try_into()?))),
            None => Ok(Begun::Closed),
        }
    }

    async fn close(&self, order_id: Uuid) -> Result<Option<Payment>, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        lock_order(&mut tx, order_id, None).await?;
        let found = of_order(&mut tx, order_id).await?;
        if found.is_none() {
            sqlx::query("insert into closed_orders (order_id) values ($1) on conflict do nothing")
                .bind(order_id)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        found.map(Payment::try_from).transpose()
    }

    async fn find(&self, key: PaymentKey) -> Result<Option<Payment>, Error> {
        let (query, id) = match key {
            PaymentKey::Id(id) => (FIND, id),
            PaymentKey::Order(id) => (OF_ORDER, id),
        };
        let row: Option<PaymentRow> =
            sqlx::query_as(query).bind(id).fetch_optional(&self.pool).await?;
        row.map(Payment::try_from).transpose()
    }

    async fn save(&self, next: &Payment, events: &[Event]) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        if !update(&mut tx, next, self.check_after).await? {
            return Ok(false);
        }
        for event in events {
            if *event == Event::Captured {
                ledger::capture(&mut tx, next).await?;
            }
            publish(&mut tx, next, *event).await?;
        }
        tx.commit().await?;
        figures::changed(next, events);
        Ok(true)
    }

    async fn due(&self, limit: i64) -> Result<Vec<Payment>, Error> {
        // Asked about again after as long as it is old, so ever more rarely. A
        // voided payment is there for a charge that was still on its way; after a
        // day none is.
        let rows: Vec<PaymentRow> = sqlx::query_as(concat!(
            "update payments
             set check_at = case
                 when state = 'voided' and updated_at < now() - interval '1 day' then null
                 else now() + least(
                     greatest(now() - updated_at, make_interval(secs => $1)), interval '1 hour')
             end
             where id in (
                 select id from payments where check_at <= now()
                 order by check_at limit $2 for update skip locked
             )
             returning ",
            payment_columns!()
        ))
        .bind(seconds(self.check_after))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        row::all(rows)
    }
}

/// Makes beginning and closing the payment of one order wait for each other until
/// the transaction ends: each looks for what the other writes. A user who is given is
/// not erased meanwhile.
async fn lock_order(
    conn: &mut PgConnection,
    order_id: Uuid,
    user_id: Option<Uuid>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select pg_advisory_xact_lock(hashtextextended($1::text, 0)),
             case when $2::uuid is not null then hold_off_erasure($2) end",
    )
    .bind(order_id)
    .bind(user_id)
    .execute(conn)
    .await?;
    Ok(())
}

async fn of_order(
    conn: &mut PgConnection,
    order_id: Uuid,
) -> Result<Option<PaymentRow>, sqlx::Error> {
    sqlx::query_as(OF_ORDER).bind(order_id).fetch_optional(conn).await
}

async fn insert_unless_closed(
    conn: &mut PgConnection,
    new: &Payment,
    check_after: Duration,
) -> Result<Option<PaymentRow>, sqlx::Error> {
    let (state, _) = row::state_names(new.state);
    sqlx::query_as(concat!(
        "insert into payments (id, order_id, user_id, amount_minor, currency, state, provider,
                               token, version, check_at, created_at, updated_at, synthetic)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10), $11, $11,
             $12
         where not exists (select from closed_orders where order_id = $2)
             and not exists (select from erased_users where user_id = $3)
         on conflict on constraint payments_order_id_key do nothing
         returning ",
        payment_columns!()
    ))
    .bind(new.id)
    .bind(new.order_id)
    .bind(new.user_id)
    .bind(new.amount.minor())
    .bind(new.amount.currency().code())
    .bind(state)
    .bind(&new.provider)
    .bind(new.token.as_ref().map(|t| t.expose()))
    .bind(new.version)
    .bind(seconds(check_after))
    .bind(new.created_at)
    .bind(new.synthetic)
    .fetch_optional(conn)
    .await
}

/// Keeps the next version. Refunds have a file of their own, so their sums are not
/// written here.
async fn update(
    conn: &mut PgConnection,
    next: &Payment,
    check_after: Duration,
) -> Result<bool, sqlx::Error> {
    let (state, failure) = row::state_names(next.state);
    // Voided before the provider knew of it: a charge may still be on its way.
    let awaits_charge = next.state == State::Voided && next.charge_id.is_none();
    let check_in = awaits_charge.then(|| seconds(check_after));
    let updated = sqlx::query(
        "update payments
         set state = $2, failure_reason = $3, provider_charge_id = $4, token = $5, version = $6,
             check_at = now() + make_interval(secs => $7), updated_at = $8
         where id = $1 and version = $6 - 1",
    )
    .bind(next.id)
    .bind(state)
    .bind(failure)
    .bind(&next.charge_id)
    .bind(next.token.as_ref().map(|t| t.expose()))
    .bind(next.version)
    .bind(check_in)
    .bind(next.updated_at)
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

async fn publish(conn: &mut PgConnection, payment: &Payment, event: Event) -> Result<(), Error> {
    let (payment_id, order_id) = (payment.id.to_string(), payment.order_id.to_string());
    let amount = Some(convert::money(payment.amount));
    match event {
        Event::Authorized => {
            events::publish(conn, &PaymentAuthorized { payment_id, order_id, amount }).await
        }
        Event::Captured => {
            events::publish(conn, &PaymentCaptured { payment_id, order_id, amount }).await
        }
        Event::Failed(why) => {
            let reason = why.reason().to_owned();
            events::publish(conn, &PaymentFailed { payment_id, order_id, reason }).await
        }
    }?;
    Ok(())
}

//! What is known of people.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::row::{self, PaymentRow, payment_columns};
use crate::core::Error;
use crate::core::ports::{People, RefundRecord};
use crate::domain::Payment;

/// Whoever changes one of them is waited for, so that the next statements see the
/// facts of the change too.
const HOLD: &str = "select from payments where user_id = $1 order by id for update";

/// Facts that were published name the user.
const FORGET_FACTS: &str = "delete from outbox using payments
     where payments.user_id = $1 and outbox.key = payments.id::text
         and outbox.sent_at is not null";

/// Pending ones keep their key: money must not be given back twice.
const FORGET_REQUESTS: &str = "update refunds
     set requested_by = null, idempotency_key = null, fingerprint = ''
     where requested_by = $1 and state <> 'pending'";

/// Payments about which nothing is left to do, to tell or to be told.
const CUT_OFF: &str = "update payments set user_id = gen_random_uuid(), erased_at = now()
     where user_id = $1 and state not in ('pending', 'authorized') and refunding_minor = 0
         and not exists (select from outbox where outbox.key = payments.id::text)
         and not exists (
             select from webhook_events
             where webhook_events.payment_id = payments.id and handled_at is null)";

const LEFT: &str = "select exists (select from payments where user_id = $1)
     or exists (select from refunds where requested_by = $1)";

const PAYMENTS: &str = concat!(
    "select ",
    payment_columns!(),
    " from payments where user_id = $1 and id > $2 order by id limit $3"
);

const REFUNDS: &str = "select r.id, r.payment_id, r.amount_minor, p.currency, r.state, r.reason,
         r.created_at, coalesce(r.requested_by = $1, false) as requested
     from refunds r join payments p on p.id = r.payment_id
     where r.id in (
         select id from refunds where requested_by = $1
         union
         select theirs.id from refunds theirs
         join payments own on own.id = theirs.payment_id and own.user_id = $1)
     order by r.id limit $2";

/// People in PostgreSQL.
pub struct PostgresPeople {
    pool: PgPool,
}

impl PostgresPeople {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl People for PostgresPeople {
    async fn erase(&self, user: Uuid) -> Result<bool, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        let left = erase(&mut tx, user).await?;
        tx.commit().await?;
        Ok(!left)
    }

    async fn payments(&self, user: Uuid, after: Uuid, limit: i64) -> Result<Vec<Payment>, Error> {
        let rows = sqlx::query_as::<_, PaymentRow>(PAYMENTS).bind(user).bind(after).bind(limit);
        row::all(rows.fetch_all(&self.pool).await?)
    }

    async fn refunds(&self, user: Uuid, limit: i64) -> Result<Vec<RefundRecord>, Error> {
        let rows = sqlx::query_as::<_, RecordRow>(REFUNDS).bind(user).bind(limit);
        row::all(rows.fetch_all(&self.pool).await?)
    }

    async fn forget_erased(&self) -> Result<u64, Error> {
        Ok(personal::purge(&self.pool).await?)
    }
}

/// Whoever was beginning a payment is done when the tombstone stands: the payment is
/// there, or it never will be.
async fn erase(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    personal::begin_erasure(conn, user).await?;
    for statement in [HOLD, FORGET_FACTS, FORGET_REQUESTS, CUT_OFF] {
        sqlx::query(statement).bind(user).execute(&mut *conn).await?;
    }
    sqlx::query_scalar(LEFT).bind(user).fetch_one(conn).await
}

#[derive(sqlx::FromRow)]
struct RecordRow {
    id: Uuid,
    payment_id: Uuid,
    amount_minor: i64,
    currency: String,
    state: String,
    reason: String,
    created_at: OffsetDateTime,
    requested: bool,
}

impl TryFrom<RecordRow> for RefundRecord {
    type Error = Error;

    fn try_from(row: RecordRow) -> Result<Self, Error> {
        let RecordRow { id, payment_id, amount_minor, currency, .. } = row;
        let RecordRow { state, reason, created_at, requested, .. } = row;
        let amount = row::money(amount_minor, &currency)?;
        Ok(Self { id, payment_id, amount, state, reason, created_at, requested })
    }
}

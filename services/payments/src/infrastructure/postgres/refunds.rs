//! Refunds, and what they change of their payment.

use std::time::Duration;

use async_trait::async_trait;
use grpc::convert;
use proto::payments::v1::PaymentRefunded;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use super::row::{self, PaymentRow, RefundRow, payment_columns};
use super::{ledger, seconds};
use crate::core::ports::RefundRepository;
use crate::core::{Error, figures};
use crate::domain::{NewRefund, Payment, Refund, RefundState, Requester};

/// Refunds in PostgreSQL.
pub struct PostgresRefunds {
    pool: PgPool,
    /// The age at which the provider is asked again about an unknown outcome.
    check_after: Duration,
}

impl PostgresRefunds {
    pub fn new(pool: PgPool, check_after: Duration) -> Self {
        Self { pool, check_after }
    }
}

#[async_trait]
impl RefundRepository for PostgresRefunds {
    async fn reserve(&self, new: &NewRefund) -> Result<Refund, Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        refuse_erased(&mut tx, new.requester.as_ref()).await?;
        let payment = lock_payment(&mut tx, new.payment_id).await?;
        if let Some(earlier) = earlier(&mut tx, new).await? {
            return Ok(earlier);
        }
        let amount = payment.refundable(new.amount)?;
        let created_at = insert(&mut tx, new, amount, self.check_after).await?;
        sqlx::query(
            "update payments
             set refunding_minor = refunding_minor + $2, version = version + 1, updated_at = now()
             where id = $1",
        )
        .bind(payment.id)
        .bind(amount.minor())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        let state = RefundState::Pending;
        Ok(Refund { id: new.id, payment_id: payment.id, amount, state, created_at })
    }

    async fn settle(&self, refund: &Refund, outcome: RefundState) -> Result<(), Error> {
        let mut tx = postgres::begin(&self.pool).await?;
        // Whoever settles first does it.
        if finish(&mut tx, refund, outcome).await? {
            let mut given_back = None;
            match outcome {
                RefundState::Succeeded => given_back = Some(give_back(&mut tx, refund).await?),
                RefundState::Failed => release(&mut tx, refund).await?,
                RefundState::Pending => {}
            }
            tx.commit().await?;
            if let Some(payment) = given_back {
                figures::given_back(&payment, refund);
            }
        }
        Ok(())
    }

    async fn pending(&self, payment_id: Uuid) -> Result<Vec<Refund>, Error> {
        let rows: Vec<RefundRow> = sqlx::query_as(
            "select r.id, r.payment_id, r.amount_minor, p.currency, r.state, r.created_at
             from refunds r join payments p on p.id = r.payment_id
             where r.payment_id = $1 and r.state = 'pending' order by r.created_at, r.id",
        )
        .bind(payment_id)
        .fetch_all(&self.pool)
        .await?;
        row::all(rows)
    }

    async fn due(&self, limit: i64) -> Result<Vec<Refund>, Error> {
        let rows: Vec<RefundRow> = sqlx::query_as(
            "update refunds r
             set check_at = now() + least(
                 greatest(now() - r.created_at, make_interval(secs => $1)), interval '1 hour')
             from payments p
             where p.id = r.payment_id and r.id in (
                 select id from refunds where check_at <= now()
                 order by check_at limit $2 for update skip locked
             )
             returning r.id, r.payment_id, r.amount_minor, p.currency, r.state,
                 r.created_at",
        )
        .bind(seconds(self.check_after))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        row::all(rows)
    }

    async fn forget_keys(&self, age: Duration, limit: i64) -> Result<u64, Error> {
        let forgotten = sqlx::query(
            "update refunds set idempotency_key = null
             where id in (
                 select id from refunds
                 where idempotency_key is not null and state <> 'pending'
                     and updated_at < now() - make_interval(secs => $1)
                 order by updated_at limit $2 for update skip locked
             )",
        )
        .bind(seconds(age))
        .bind(limit)
        .execute(&self.pool)
        .await?;
        Ok(forgotten.rows_affected())
    }
}

async fn refuse_erased(
    conn: &mut PgConnection,
    requester: Option<&Requester>,
) -> Result<(), Error> {
    let Some(Requester { user_id, .. }) = requester else { return Ok(()) };
    personal::hold_off_erasure(conn, *user_id).await?;
    let erased = personal::is_erased(conn, *user_id).await?;
    if erased { Err(Error::UserErased) } else { Ok(()) }
}

/// Refunds of one payment are reserved one after another.
async fn lock_payment(conn: &mut PgConnection, id: Uuid) -> Result<Payment, Error> {
    let sql = concat!("select ", payment_columns!(), " from payments where id = $1 for update");
    let row: Option<PaymentRow> = sqlx::query_as(sql).bind(id).fetch_optional(conn).await?;
    row.ok_or(Error::NotFound)?.try_into()
}

/// The refund that the same idempotency key asked for before.
async fn earlier(conn: &mut PgConnection, new: &NewRefund) -> Result<Option<Refund>, Error> {
    let Some(Requester { user_id, idempotency_key }) = &new.requester else { return Ok(None) };
    let found: Option<(Uuid, Vec<u8>)> = sqlx::query_as(
        "select id, fingerprint from refunds where requested_by = $1 and idempotency_key = $2",
    )
    .bind(user_id)
    .bind(idempotency_key)
    .fetch_optional(&mut *conn)
    .await?;
    let Some((id, first)) = found else { return Ok(None) };
    if first != fingerprint(new) {
        return Err(Error::KeyReused);
    }
    let row: RefundRow = sqlx::query_as(
        "select r.id, r.payment_id, r.amount_minor, p.currency, r.state, r.created_at
         from refunds r join payments p on p.id = r.payment_id where r.id = $1",
    )
    .bind(id)
    .fetch_one(conn)
    .await?;
    Ok(Some(row.try_into()?))
}

async fn insert(
    conn: &mut PgConnection,
    new: &NewRefund,
    amount: Money,
    check_after: Duration,
) -> Result<OffsetDateTime, Error> {
    let inserted = sqlx::query_scalar(
        "insert into refunds (id, payment_id, requested_by, idempotency_key, fingerprint,
                              amount_minor, reason, state, check_at, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'pending', now() + make_interval(secs => $8),
                 now(), now())
         returning created_at",
    )
    .bind(new.id)
    .bind(new.payment_id)
    .bind(new.requester.as_ref().map(|r| r.user_id))
    .bind(new.requester.as_ref().map(|r| &r.idempotency_key))
    .bind(fingerprint(new))
    .bind(amount.minor())
    .bind(&new.reason)
    .bind(seconds(check_after))
    .fetch_one(conn)
    .await;
    match inserted {
        Ok(created_at) => Ok(created_at),
        // The same key for another payment, at the same moment.
        Err(sqlx::Error::Database(error))
            if error.constraint() == Some("refunds_requested_by_idempotency_key_key") =>
        {
            Err(Error::KeyReused)
        }
        Err(error) => Err(error.into()),
    }
}

fn fingerprint(new: &NewRefund) -> Vec<u8> {
    let amount = new.amount.map_or_else(|| "the rest".to_owned(), |a| a.to_string());
    let asked = format!("{}\n{amount}\n{}", new.payment_id, new.reason);
    Sha256::digest(asked.as_bytes()).to_vec()
}

async fn finish(
    conn: &mut PgConnection,
    refund: &Refund,
    outcome: RefundState,
) -> Result<bool, sqlx::Error> {
    let state = match outcome {
        RefundState::Succeeded => "succeeded",
        RefundState::Failed => "failed",
        RefundState::Pending => return Ok(false),
    };
    let updated = sqlx::query(
        "update refunds set state = $2, check_at = null, updated_at = now()
         where id = $1 and state = 'pending'",
    )
    .bind(refund.id)
    .bind(state)
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

async fn give_back(conn: &mut PgConnection, refund: &Refund) -> Result<Payment, Error> {
    let row: PaymentRow = sqlx::query_as(concat!(
        "update payments
         set refunded_minor = refunded_minor + $2, refunding_minor = refunding_minor - $2,
             state = case when refunded_minor + $2 = amount_minor
                 then 'refunded' else 'partially_refunded' end,
             version = version + 1, updated_at = now()
         where id = $1 returning ",
        payment_columns!()
    ))
    .bind(refund.payment_id)
    .bind(refund.amount.minor())
    .fetch_one(&mut *conn)
    .await?;
    let payment = Payment::try_from(row)?;
    ledger::refund(conn, refund).await?;
    let fact = PaymentRefunded {
        payment_id: payment.id.to_string(),
        order_id: payment.order_id.to_string(),
        user_id: payment.user_id.to_string(),
        amount: Some(convert::money(refund.amount)),
    };
    events::publish(conn, &fact).await?;
    Ok(payment)
}

async fn release(conn: &mut PgConnection, refund: &Refund) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update payments
         set refunding_minor = refunding_minor - $2, version = version + 1, updated_at = now()
         where id = $1",
    )
    .bind(refund.payment_id)
    .bind(refund.amount.minor())
    .execute(conn)
    .await?;
    Ok(())
}

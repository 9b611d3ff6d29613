//! The ledger: every movement of money is one balanced transaction.

use sqlx::PgConnection;
use types::Money;
use uuid::Uuid;

use crate::domain::{Payment, Refund};

/// What the provider owes us (an asset).
const PROVIDER_RECEIVABLE: &str = "provider_receivable";
/// What we have sold (revenue).
const SALES: &str = "sales";
/// What we have given back (contra-revenue).
const REFUNDS: &str = "refunds";

/// Money was taken: the provider owes it to us.
pub(super) async fn capture(conn: &mut PgConnection, payment: &Payment) -> Result<(), sqlx::Error> {
    let accounts = (PROVIDER_RECEIVABLE, SALES);
    book(conn, (payment.id, None), accounts, payment.amount).await
}

/// Money was given back: the provider owes us less.
pub(super) async fn refund(conn: &mut PgConnection, refund: &Refund) -> Result<(), sqlx::Error> {
    let accounts = (REFUNDS, PROVIDER_RECEIVABLE);
    book(conn, (refund.payment_id, Some(refund.id)), accounts, refund.amount).await
}

async fn book(
    conn: &mut PgConnection,
    (payment_id, refund_id): (Uuid, Option<Uuid>),
    (debit, credit): (&str, &str),
    amount: Money,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with booked as (
             insert into ledger_transactions (id, payment_id, refund_id) values ($1, $2, $3)
             returning id
         )
         insert into ledger_entries (transaction_id, account, debit_minor, credit_minor, currency)
         select booked.id, side.account, side.debit_minor, side.credit_minor, $7
         from booked, (values ($4, $6, 0::bigint), ($5, 0::bigint, $6))
             as side (account, debit_minor, credit_minor)",
    )
    .bind(Uuid::now_v7())
    .bind(payment_id)
    .bind(refund_id)
    .bind(debit)
    .bind(credit)
    .bind(amount.minor())
    .bind(amount.currency().code())
    .execute(conn)
    .await?;
    Ok(())
}

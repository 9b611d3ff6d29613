//! Payments with what the ledger has booked for them.

use async_trait::async_trait;
use sqlx::{Connection, PgConnection, PgPool};
use uuid::Uuid;

use super::row::{self, PaymentRow, payment_columns};
use crate::core::Error;
use crate::core::ports::{Accounts, Turn, Window};
use crate::domain::{Account, Payment};

/// The advisory lock of the one who compares by the clock; it reads "stoarecn".
const LOCK: i64 = 0x7374_6f61_7265_636e;

/// All of them; `payments` narrows it down.
macro_rules! accounts {
    () => {
        concat!(
            "select ",
            payment_columns!(),
            ", a.booked_captured_minor, a.booked_refunded_minor, a.agrees
             from payments join payment_accounts a on a.payment_id = payments.id "
        )
    };
}

/// Accounts in PostgreSQL.
pub struct PostgresAccounts {
    pool: PgPool,
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    #[sqlx(flatten)]
    payment: PaymentRow,
    booked_captured_minor: i64,
    booked_refunded_minor: i64,
    agrees: bool,
}

impl PostgresAccounts {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Accounts for PostgresAccounts {
    async fn of(&self, payment_ids: &[Uuid]) -> Result<Vec<Account>, Error> {
        let sql = concat!(accounts!(), "where payments.id = any($1)");
        let rows: Vec<AccountRow> =
            sqlx::query_as(sql).bind(payment_ids).fetch_all(&self.pool).await?;
        row::all(rows)
    }

    async fn active(
        &self,
        provider: &str,
        window: Window,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Account>, Error> {
        let rows: Vec<AccountRow> = sqlx::query_as(concat!(
            accounts!(),
            "where payments.id in (
                 select id from payments
                 where provider = $1 and created_at >= $2 and created_at < $3 and id > $4
                 union
                 select t.payment_id from ledger_transactions t
                 join payments q on q.id = t.payment_id and q.provider = $1
                 where t.created_at >= $2 and t.created_at < $3 and t.payment_id > $4
                 order by 1 limit $5
             )
             order by payments.id"
        ))
        .bind(provider)
        .bind(window.start)
        .bind(window.end)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        row::all(rows)
    }

    /// A connection of its own holds the lock: it ends with the connection, also
    /// when this process dies.
    async fn take_turn(&self) -> Result<Option<Turn>, Error> {
        let mut conn = PgConnection::connect_with(&self.pool.connect_options()).await?;
        let taken: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
            .bind(LOCK)
            .fetch_one(&mut conn)
            .await?;
        Ok(taken.then(|| Turn::held_by(conn)))
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = Error;

    fn try_from(row: AccountRow) -> Result<Self, Error> {
        Ok(Self {
            payment: Payment::try_from(row.payment)?,
            captured_minor: row.booked_captured_minor,
            refunded_minor: row.booked_refunded_minor,
            agrees: row.agrees,
        })
    }
}

//! Sagas in PostgreSQL, with leases.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::PgPool;
use tracing::Span;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Key, Leased, SagaStore};
use crate::domain::{OrderFact, Saga};
use crate::infrastructure::saga_rows::{self, saga_columns};
use crate::infrastructure::{database_error, facts, order_rows};

/// Writes sagas, and orders with them. Every lease lasts as long as `lease`,
/// counted from its last renewal by the database's clock.
pub struct PostgresSagas {
    pub(super) pool: PgPool,
    pub(super) lease_seconds: f64,
}

impl PostgresSagas {
    pub fn new(pool: PgPool, lease: Duration) -> Self {
        Self { pool, lease_seconds: lease.as_secs_f64() }
    }
}

#[async_trait]
impl SagaStore for PostgresSagas {
    async fn place(&self, saga: Saga, key: &Key) -> Result<Option<Leased>, Error> {
        let order_version = saga.order.version;
        let (owner, span) = (Uuid::now_v7(), Span::current());
        let leased = Leased { saga, owner, version: 1, order_version, span };
        let order = &leased.saga.order;
        let mut tx = postgres::begin(&self.pool).await.map_err(database_error)?;
        order_rows::insert(&mut tx, order).await.map_err(database_error)?;
        if !insert_key(&mut tx, order.user_id, key, order.id).await? {
            refuse_erased(&mut tx, order.user_id, Error::UserErased).await?;
            return Ok(None);
        }
        saga_rows::insert(&mut tx, &leased, self.lease_seconds).await.map_err(database_error)?;
        facts::publish(&mut tx, order, OrderFact::Placed).await?;
        tx.commit().await.map_err(database_error)?;
        Ok(Some(leased))
    }

    async fn claim_due(&self, limit: i64) -> Result<Vec<Leased>, Error> {
        let mut conn = self.pool.acquire().await.map_err(database_error)?;
        let rows = sqlx::query_as(concat!(
            "update sagas
             set lease_owner = gen_random_uuid(), version = version + 1,
                 lease_until = now() + make_interval(secs => $1)
             where order_id in (
                 select order_id from sagas
                 where status = 'running' and next_run_at <= now()
                     and (lease_until is null or lease_until < now())
                 order by next_run_at limit $2
                 for update skip locked)
             returning ",
            saga_columns!()
        ))
        .bind(self.lease_seconds)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await
        .map_err(database_error)?;
        let claimed = saga_rows::each_with_order(&mut conn, rows).await?;
        let readable = claimed.into_iter().filter_map(|leased| {
            // It stays leased for a while, and is looked at again then.
            let log = |error: &Error| tracing::error!(error = %error, "a saga cannot be read");
            leased.inspect_err(log).ok()
        });
        Ok(readable.collect())
    }

    async fn cancel(&self, order: Uuid, allowance: Duration) -> Result<Option<Leased>, Error> {
        let mut tx = postgres::begin(&self.pool).await.map_err(database_error)?;
        saga_rows::restore(&mut tx, order).await.map_err(database_error)?;
        let taken = saga_rows::take(&mut tx, order, self.lease_seconds).await?;
        let Some(mut leased) = taken else { return Ok(None) };
        // Either an erasure sees that the order is open again, or it came before.
        let user = leased.saga.order.user_id;
        personal::hold_off_erasure(&mut tx, user).await.map_err(database_error)?;
        refuse_erased(&mut tx, user, Error::OrderNotFound).await?;
        let cancelled = leased.saga.cancel(types::now(), allowance);
        cancelled.map_err(|refusal| Error::NotCancellable(refusal.0))?;
        self.write(&mut tx, &mut leased, None).await?;
        tx.commit().await.map_err(database_error)?;
        Ok(Some(leased))
    }

    async fn save(&self, leased: &mut Leased, fact: Option<OrderFact>) -> Result<bool, Error> {
        if leased.saga.order.version == leased.order_version && fact.is_none() {
            // One statement needs no transaction around it.
            let mut conn = self.pool.acquire().await.map_err(database_error)?;
            return self.write(&mut conn, leased, None).await;
        }
        let mut tx = postgres::begin(&self.pool).await.map_err(database_error)?;
        let written = self.write(&mut tx, leased, fact).await?;
        tx.commit().await.map_err(database_error)?;
        Ok(written)
    }

    async fn is_running(&self, order: Uuid) -> Result<bool, Error> {
        sqlx::query_scalar(
            "select exists (select from sagas where order_id = $1 and status = 'running')",
        )
        .bind(order)
        .fetch_one(&self.pool)
        .await
        .map_err(database_error)
    }
}

impl PostgresSagas {
    /// The saga's row first: whoever does not hold the lease gets no further.
    pub(super) async fn write(
        &self,
        conn: &mut sqlx::PgConnection,
        leased: &mut Leased,
        fact: Option<OrderFact>,
    ) -> Result<bool, Error> {
        let written = saga_rows::update(conn, leased, self.lease_seconds).await;
        if !written.map_err(database_error)? {
            return Ok(false);
        }
        let order = &leased.saga.order;
        if order.version != leased.order_version {
            order_rows::update(conn, order, leased.order_version).await?;
        }
        if let Some(fact) = fact {
            facts::publish(conn, order, fact).await?;
        }
        leased.version += 1;
        leased.order_version = order.version;
        Ok(true)
    }
}

async fn refuse_erased(
    conn: &mut sqlx::PgConnection,
    user: Uuid,
    refusal: Error,
) -> Result<(), Error> {
    let erased = personal::is_erased(conn, user).await.map_err(database_error)?;
    if erased { Err(refusal) } else { Ok(()) }
}

/// False: the key is taken, or the user was erased. A twin that is still at it is
/// waited for.
async fn insert_key(
    conn: &mut sqlx::PgConnection,
    user: Uuid,
    key: &Key,
    order: Uuid,
) -> Result<bool, Error> {
    let written = sqlx::query(
        "insert into idempotency_keys (user_id, key, fingerprint, order_id)
         select $1, $2, $3, $4 where not exists (select from erased_users where user_id = $1)
         on conflict on constraint idempotency_keys_pkey do nothing",
    )
    .bind(user)
    .bind(&key.text)
    .bind(&key.fingerprint[..])
    .bind(order)
    .execute(conn)
    .await
    .map_err(database_error)?;
    Ok(written.rows_affected() == 1)
}

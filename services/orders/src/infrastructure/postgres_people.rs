//! What is known of people, in PostgreSQL.

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Deed, Done, People, Traces};
use crate::infrastructure::database_error;

/// Facts that were published name the user.
const FORGET_FACTS: &str = "delete from outbox using orders
     where orders.user_id = $1 and outbox.key = orders.id::text and outbox.sent_at is not null";

const FORGET_KEYS: &str = "delete from idempotency_keys where user_id = $1";

/// Orders that have ended: nothing about them is left to do or to tell.
const CUT_OFF: &str = "update orders
     set user_id = gen_random_uuid(), erased_at = now(),
         recipient = '', street = '', city = '', postal_code = ''
     where user_id = $1 and state not in ('pending', 'cancelling')
         and not exists (
             select from sagas where sagas.order_id = orders.id and sagas.status = 'running')
         and not exists (select from outbox where outbox.key = orders.id::text)";

const LEFT: &str = "select exists (select from orders where user_id = $1)";

const KEYS: &str = "select key, order_id, created_at from idempotency_keys
     where user_id = $1 order by created_at desc limit $2";

/// Reads and erases what is known of people.
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
        let mut tx = postgres::begin(&self.pool).await.map_err(database_error)?;
        let left = erase(&mut tx, user).await.map_err(database_error)?;
        tx.commit().await.map_err(database_error)?;
        Ok(!left)
    }

    async fn traces(&self, user: Uuid, limit: i64) -> Result<Traces, Error> {
        let mut conn = self.pool.acquire().await.map_err(database_error)?;
        let keys = sqlx::query_as(KEYS).bind(user).bind(limit).fetch_all(&mut *conn);
        let keys = keys.await.map_err(database_error)?;
        let deeds = audit::by(&mut conn, user, limit).await.map_err(database_error)?;
        Ok(Traces { keys, deeds: deeds.into_iter().map(deed).collect() })
    }
}

/// Whoever was placing an order is done when the tombstone stands: the order is there,
/// or it never will be.
async fn erase(conn: &mut PgConnection, user: Uuid) -> Result<bool, sqlx::Error> {
    personal::begin_erasure(conn, user).await?;
    for statement in [FORGET_FACTS, FORGET_KEYS, CUT_OFF] {
        sqlx::query(statement).bind(user).execute(&mut *conn).await?;
    }
    sqlx::query_scalar(LEFT).bind(user).fetch_one(conn).await
}

fn deed(entry: audit::Entry) -> (Done, String) {
    let audit::Entry { id: _, at, actor, action, target, why, outcome } = entry;
    (Done { at, deed: Deed { actor, why }, action, outcome }, target)
}

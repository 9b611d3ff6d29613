//! Orders in PostgreSQL.

use async_trait::async_trait;
use sqlx::PgPool;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{OrderRepository, Placed};
use crate::domain::Order;
use crate::infrastructure::database_error;
use crate::infrastructure::order_rows::{self, order_columns};

const FIND: &str = concat!("select ", order_columns!(), " from orders where id = $1");

const LIST: &str = concat!(
    "select ",
    order_columns!(),
    " from orders where user_id = $1 and ($2::uuid is null or id < $2)
     order by id desc limit $3"
);

/// Reads orders.
pub struct PostgresOrders {
    pool: PgPool,
}

impl PostgresOrders {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl OrderRepository for PostgresOrders {
    async fn find(&self, id: Uuid) -> Result<Option<Order>, Error> {
        let mut conn = self.pool.acquire().await.map_err(database_error)?;
        let rows =
            sqlx::query_as(FIND).bind(id).fetch_all(&mut *conn).await.map_err(database_error)?;
        Ok(order_rows::with_lines(&mut conn, rows).await?.pop())
    }

    async fn list(&self, user: Uuid, after: Option<Uuid>, limit: i64) -> Result<Vec<Order>, Error> {
        let mut conn = self.pool.acquire().await.map_err(database_error)?;
        let rows = sqlx::query_as(LIST)
            .bind(user)
            .bind(after)
            .bind(limit)
            .fetch_all(&mut *conn)
            .await
            .map_err(database_error)?;
        order_rows::with_lines(&mut conn, rows).await
    }

    async fn placed_with(&self, user: Uuid, key: &str) -> Result<Option<Placed>, Error> {
        let found: Option<(Uuid, Vec<u8>)> = sqlx::query_as(
            "select order_id, fingerprint from idempotency_keys where user_id = $1 and key = $2",
        )
        .bind(user)
        .bind(key)
        .fetch_optional(&self.pool)
        .await
        .map_err(database_error)?;
        Ok(found.map(|(order_id, fingerprint)| Placed { order_id, fingerprint }))
    }
}

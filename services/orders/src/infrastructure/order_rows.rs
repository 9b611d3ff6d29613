//! Orders as rows.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use types::{Currency, Money};
use uuid::Uuid;

use crate::core::Error;
use crate::domain::{Address, Order, OrderLine, OrderState};
use crate::infrastructure::database_error;

/// The columns of an [`OrderRow`].
macro_rules! order_columns {
    () => {
        "id, user_id, state, currency, total_minor, recipient, street, city, postal_code, \
         country_code, payment_id, failure_reason, synthetic, version, created_at, updated_at"
    };
}

pub(super) use order_columns;

#[derive(sqlx::FromRow)]
pub(super) struct OrderRow {
    pub(super) id: Uuid,
    user_id: Uuid,
    state: String,
    currency: String,
    total_minor: i64,
    recipient: String,
    street: String,
    city: String,
    postal_code: String,
    country_code: String,
    payment_id: Option<Uuid>,
    failure_reason: Option<String>,
    synthetic: bool,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct LineRow {
    order_id: Uuid,
    product_id: Uuid,
    name: String,
    quantity: i32,
    unit_price_minor: i64,
}

/// Reads the lines of orders and puts them together, in the rows' order.
pub(super) async fn with_lines(
    conn: &mut PgConnection,
    rows: Vec<OrderRow>,
) -> Result<Vec<Order>, Error> {
    each_with_lines(conn, rows).await?.into_iter().collect()
}

/// The same, where one order that cannot be understood does not spoil the others.
pub(super) async fn each_with_lines(
    conn: &mut PgConnection,
    rows: Vec<OrderRow>,
) -> Result<Vec<Result<Order, Error>>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let lines: Vec<LineRow> = sqlx::query_as(
        "select order_id, product_id, name, quantity, unit_price_minor
         from order_lines where order_id = any($1) order by order_id, position",
    )
    .bind(&ids)
    .fetch_all(conn)
    .await
    .map_err(database_error)?;
    let mut of_order = HashMap::<Uuid, Vec<LineRow>>::new();
    for line in lines {
        of_order.entry(line.order_id).or_default().push(line);
    }
    let join = |row: OrderRow| {
        let lines = of_order.remove(&row.id).unwrap_or_default();
        row.into_order(lines)
    };
    Ok(rows.into_iter().map(join).collect())
}

impl OrderRow {
    fn into_order(self, lines: Vec<LineRow>) -> Result<Order, Error> {
        let unknown = |what: &str| Error::Internal(format!("an order is stored with {what}"));
        let currency: Currency = self.currency.parse().map_err(|_| unknown(&self.currency))?;
        let state = OrderState::named(&self.state).ok_or_else(|| unknown(&self.state))?;
        Ok(Order {
            id: self.id,
            user_id: self.user_id,
            state,
            lines: lines.into_iter().map(|line| line.into_line(currency)).collect(),
            total: Money::new(self.total_minor, currency),
            shipping_address: Address {
                recipient: self.recipient,
                street: self.street,
                city: self.city,
                postal_code: self.postal_code,
                country_code: self.country_code,
            },
            payment_id: self.payment_id,
            failure_reason: self.failure_reason,
            synthetic: self.synthetic,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

impl LineRow {
    fn into_line(self, currency: Currency) -> OrderLine {
        let Self { order_id: _, product_id, name, quantity, unit_price_minor } = self;
        OrderLine { product_id, name, quantity, unit_price: Money::new(unit_price_minor, currency) }
    }
}

/// Writes down a new order. Until the transaction ends its user is not erased; whether
/// that was done before is for a later statement to see.
pub(super) async fn insert(conn: &mut PgConnection, order: &Order) -> Result<(), sqlx::Error> {
    let Address { recipient, street, city, postal_code, country_code } = &order.shipping_address;
    sqlx::query(
        "insert into orders (id, user_id, state, currency, total_minor, recipient, street, city,
             postal_code, country_code, synthetic, version, created_at, updated_at)
         select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
         from hold_off_erasure($2)",
    )
    .bind(order.id)
    .bind(order.user_id)
    .bind(order.state.name())
    .bind(order.total.currency().code())
    .bind(order.total.minor())
    .bind(recipient)
    .bind(street)
    .bind(city)
    .bind(postal_code)
    .bind(country_code)
    .bind(order.synthetic)
    .bind(order.version)
    .bind(order.created_at)
    .bind(order.updated_at)
    .execute(&mut *conn)
    .await?;
    insert_lines(conn, order).await
}

async fn insert_lines(conn: &mut PgConnection, order: &Order) -> Result<(), sqlx::Error> {
    let products: Vec<Uuid> = order.lines.iter().map(|l| l.product_id).collect();
    let names: Vec<&str> = order.lines.iter().map(|l| l.name.as_str()).collect();
    let quantities: Vec<i32> = order.lines.iter().map(|l| l.quantity).collect();
    let prices: Vec<i64> = order.lines.iter().map(|l| l.unit_price.minor()).collect();
    sqlx::query(
        "insert into order_lines (order_id, position, product_id, name, quantity, unit_price_minor)
         select $1, line.position, line.product_id, line.name, line.quantity, line.price
         from unnest($2::uuid[], $3::text[], $4::integer[], $5::bigint[])
             with ordinality as line (product_id, name, quantity, price, position)",
    )
    .bind(order.id)
    .bind(products)
    .bind(names)
    .bind(quantities)
    .bind(prices)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down a change that follows version `before`, and tells those who watch.
pub(super) async fn update(
    conn: &mut PgConnection,
    order: &Order,
    before: i64,
) -> Result<(), Error> {
    let written = sqlx::query(
        "update orders
         set state = $3, payment_id = $4, failure_reason = $5, version = $6, updated_at = $7
         where id = $1 and version = $2",
    )
    .bind(order.id)
    .bind(before)
    .bind(order.state.name())
    .bind(order.payment_id)
    .bind(order.failure_reason.as_deref())
    .bind(order.version)
    .bind(order.updated_at)
    .execute(&mut *conn)
    .await
    .map_err(database_error)?;
    if written.rows_affected() == 0 {
        return Err(Error::Internal("an order was changed beside its saga".to_owned()));
    }
    sqlx::query("select pg_notify('order_changed', $1)")
        .bind(order.id.to_string())
        .execute(conn)
        .await
        .map_err(database_error)?;
    Ok(())
}

//! What was there is still there or was sold.

use std::collections::HashMap;

use anyhow::Result;
use uuid::Uuid;

use super::Stores;
use super::orders::Order;
use crate::shop::Product;

pub async fn violations(
    stores: &Stores,
    orders: &[Order],
    products: &[Product],
) -> Result<Vec<String>> {
    let levels: Vec<(Uuid, i64, i64)> =
        sqlx::query_as("select product_id, available, reserved from stock")
            .fetch_all(&stores.inventory)
            .await?;
    let levels: HashMap<Uuid, (i64, i64)> =
        levels.into_iter().map(|(id, available, reserved)| (id, (available, reserved))).collect();
    let sold = sold(stores, orders).await?;
    let mut violations = Vec::new();
    for Product { id, pieces } in products {
        let (available, reserved) = levels.get(id).copied().unwrap_or_default();
        let sold = sold.get(id).copied().unwrap_or(0);
        if reserved != 0 {
            violations.push(format!("product {id}: {reserved} are still set aside"));
        }
        if available + sold != *pieces {
            violations.push(format!(
                "product {id}: of {pieces} pieces {available} are left and {sold} were sold"
            ));
        }
    }
    Ok(violations)
}

/// The pieces of confirmed orders.
async fn sold(stores: &Stores, orders: &[Order]) -> Result<HashMap<Uuid, i64>> {
    let confirmed: Vec<Uuid> =
        orders.iter().filter(|o| o.state == "confirmed").map(|o| o.id).collect();
    let lines: Vec<(Uuid, i64)> = sqlx::query_as(
        "select product_id, sum(quantity)::bigint from order_lines
         where order_id = any($1) group by product_id",
    )
    .bind(confirmed)
    .fetch_all(&stores.orders)
    .await?;
    Ok(lines.into_iter().collect())
}

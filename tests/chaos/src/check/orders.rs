//! Every acknowledged order is there, as it was acknowledged, and has its end.

use std::collections::HashMap;

use anyhow::Result;
use uuid::Uuid;

use super::Stores;
use crate::shop::{Purchase, Told};

/// An order as it is stored.
#[derive(sqlx::FromRow)]
pub struct Order {
    pub id: Uuid,
    pub user_id: Uuid,
    pub state: String,
    pub total_minor: i64,
    pub failure_reason: Option<String>,
    /// The customer's idempotency key.
    pub key: String,
}

pub async fn read(stores: &Stores) -> Result<Vec<Order>> {
    Ok(sqlx::query_as(
        "select o.id, o.user_id, o.state, o.total_minor, o.failure_reason, k.key
         from orders o
         left join idempotency_keys k on k.order_id = o.id
         order by o.id",
    )
    .fetch_all(&stores.orders)
    .await?)
}

pub async fn violations(
    stores: &Stores,
    orders: &[Order],
    purchases: &[Purchase],
) -> Result<Vec<String>> {
    let running: Vec<Uuid> =
        sqlx::query_scalar("select order_id from sagas where status <> 'done'")
            .fetch_all(&stores.orders)
            .await?;
    let mut violations: Vec<String> =
        running.iter().map(|id| format!("order {id}: its saga has not ended")).collect();
    let by_key: HashMap<(Uuid, &str), &Order> =
        orders.iter().map(|order| ((order.user_id, order.key.as_str()), order)).collect();
    let ours: HashMap<(Uuid, String), &Purchase> =
        purchases.iter().map(|p| ((p.user_id, p.key.to_string()), p)).collect();
    for order in orders {
        let ended = ["confirmed", "failed", "cancelled"].contains(&order.state.as_str());
        if !ended {
            violations.push(format!("order {}: {} is no end", order.id, order.state));
        }
        if !ours.contains_key(&(order.user_id, order.key.clone())) {
            violations.push(format!("order {}: nobody ordered it", order.id));
        }
    }
    for purchase in purchases {
        let order = by_key.get(&(purchase.user_id, purchase.key.to_string().as_str())).copied();
        violations.extend(compare(purchase, order));
    }
    Ok(violations)
}

/// What the customer was told against what is stored.
fn compare(purchase: &Purchase, order: Option<&Order>) -> Vec<String> {
    let Some(order) = order else {
        let lost = purchase.told.iter().chain(&purchase.cancel_told);
        return lost
            .map(|told| format!("order {}: acknowledged and lost", told.order_id))
            .collect();
    };
    let mut violations = Vec::new();
    let id = order.id;
    for Told { order_id, state, total } in purchase.told.iter().chain(&purchase.cancel_told) {
        if *order_id != id.to_string() {
            violations.push(format!("order {id}: acknowledged as {order_id} too"));
        }
        if *total != order.total_minor {
            violations.push(format!("order {id}: {total} was told, {} is kept", order.total_minor));
        }
        if !may_follow(state, &order.state, purchase.cancel_asked) {
            violations.push(format!("order {id}: {state} was told, {} it is", order.state));
        }
    }
    if let (Some(reason), true) = (&purchase.refused, purchase.told.is_empty()) {
        violations.push(format!("order {id}: refused ({reason}) and taken all the same"));
    }
    let declinable = purchase.payment_token == "tok_declined";
    let declined = order.failure_reason.as_deref() == Some("PAYMENT_DECLINED");
    if order.state == "failed" && declined && !declinable {
        violations.push(format!("order {id}: declined with {}", purchase.payment_token));
    }
    if order.state == "confirmed" && declinable {
        violations.push(format!("order {id}: confirmed though its payment is declined"));
    }
    violations
}

/// Whether an order that was told to be in one state may end in another.
fn may_follow(told: &str, end: &str, cancel_asked: bool) -> bool {
    match told {
        "pending" => matches!(end, "confirmed" | "failed") || (cancel_asked && end == "cancelled"),
        "confirmed" => end == "confirmed" || (cancel_asked && end == "cancelled"),
        "cancelling" | "cancelled" => end == "cancelled",
        "failed" => end == "failed",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purchase(told: &[&str]) -> Purchase {
        let told = told.iter().map(|state| Told {
            order_id: Uuid::nil().to_string(),
            state: (*state).to_owned(),
            total: 100,
        });
        Purchase {
            user_id: Uuid::nil(),
            key: Uuid::nil(),
            payment_token: "tok_visa",
            told: told.collect(),
            refused: None,
            cancel_asked: false,
            cancel_told: None,
        }
    }

    fn order(state: &str, total_minor: i64) -> Order {
        Order {
            id: Uuid::nil(),
            user_id: Uuid::nil(),
            state: state.to_owned(),
            total_minor,
            failure_reason: None,
            key: String::new(),
        }
    }

    #[test]
    fn what_was_acknowledged_is_kept() {
        assert!(compare(&purchase(&["pending"]), Some(&order("confirmed", 100))).is_empty());
        assert!(compare(&purchase(&["confirmed"]), Some(&order("confirmed", 100))).is_empty());
        assert!(compare(&purchase(&[]), None).is_empty());
    }

    #[test]
    fn a_lost_a_broken_and_a_changed_promise_are_seen() {
        assert_eq!(compare(&purchase(&["pending"]), None).len(), 1);
        assert_eq!(compare(&purchase(&["confirmed"]), Some(&order("failed", 100))).len(), 1);
        assert_eq!(compare(&purchase(&["confirmed"]), Some(&order("cancelled", 100))).len(), 1);
        assert_eq!(compare(&purchase(&["confirmed"]), Some(&order("confirmed", 99))).len(), 1);
        let refused = Purchase { refused: Some("400".to_owned()), ..purchase(&[]) };
        assert_eq!(compare(&refused, Some(&order("confirmed", 100))).len(), 1);
    }
}

//! Money was taken once for what was confirmed, and for nothing else.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use uuid::Uuid;

use super::Stores;
use super::orders::Order;

#[derive(sqlx::FromRow)]
struct Payment {
    id: Uuid,
    order_id: Uuid,
    /// What the ledger says was taken and kept.
    booked_minor: i64,
    /// What the payment's own row says.
    kept_minor: i64,
}

/// A charge as the provider knows it.
#[derive(sqlx::FromRow)]
struct Charge {
    id: String,
    reference: String,
    state: String,
    amount_minor: i64,
    refunded_minor: i64,
}

impl Charge {
    /// Taken and kept.
    fn kept(&self) -> i64 {
        let taken = matches!(self.state.as_str(), "captured" | "partially_refunded" | "refunded");
        if taken { self.amount_minor - self.refunded_minor } else { 0 }
    }
}

/// What the provider has taken and kept in all, and what is wrong.
pub async fn violations(stores: &Stores, orders: &[Order]) -> Result<(i64, Vec<String>)> {
    let payments = payments(stores).await?;
    let charges: Vec<Charge> =
        sqlx::query_as("select id, reference, state, amount_minor, refunded_minor from charges")
            .fetch_all(&stores.sandbox)
            .await?;
    let mut violations = unbalanced(stores).await?;
    let known: HashSet<String> = payments.iter().map(|payment| payment.id.to_string()).collect();
    let mut by_payment: HashMap<&str, Vec<&Charge>> = HashMap::new();
    for charge in &charges {
        by_payment.entry(&charge.reference).or_default().push(charge);
        if charge.state == "authorized" {
            violations.push(format!("charge {}: the money is still set aside", charge.id));
        }
        if !known.contains(&charge.reference) {
            violations.push(format!("charge {}: for no payment of ours", charge.id));
        }
    }
    let mut by_order: HashMap<Uuid, Vec<&Payment>> = HashMap::new();
    for payment in &payments {
        by_order.entry(payment.order_id).or_default().push(payment);
    }
    for order in orders {
        let payments = by_order.remove(&order.id).unwrap_or_default();
        let due = if order.state == "confirmed" { order.total_minor } else { 0 };
        let ids = payments.iter().map(|payment| payment.id.to_string());
        let mine: Vec<_> = ids.filter_map(|id| by_payment.get(id.as_str())).flatten().collect();
        let kept: i64 = mine.iter().map(|charge| charge.kept()).sum();
        let times = mine.iter().filter(|charge| charge.kept() != 0).count();
        if kept != due || times > 1 {
            violations.push(format!(
                "order {} ({}): {due} is due, {kept} was taken by {times} charges",
                order.id, order.state
            ));
        }
        let booked: i64 = payments.iter().map(|payment| payment.booked_minor).sum();
        let noted: i64 = payments.iter().map(|payment| payment.kept_minor).sum();
        if booked != kept || noted != kept {
            violations.push(format!(
                "order {}: {kept} was taken, the ledger says {booked} and the payment {noted}",
                order.id
            ));
        }
    }
    let strays = by_order.keys().map(|order| format!("order {order}: paid for and not there"));
    violations.extend(strays);
    Ok((charges.iter().map(Charge::kept).sum(), violations))
}

async fn payments(stores: &Stores) -> Result<Vec<Payment>> {
    Ok(sqlx::query_as(
        "select p.id, p.order_id,
             coalesce(sum(e.debit_minor - e.credit_minor)
                 filter (where e.account = 'provider_receivable'), 0)::bigint as booked_minor,
             case when p.state in ('captured', 'partially_refunded', 'refunded')
                 then p.amount_minor - p.refunded_minor else 0 end as kept_minor
         from payments p
         left join ledger_transactions t on t.payment_id = p.id
         left join ledger_entries e on e.transaction_id = t.id
         group by p.id",
    )
    .fetch_all(&stores.payments)
    .await?)
}

/// Double entry: what is debited is credited.
async fn unbalanced(stores: &Stores) -> Result<Vec<String>> {
    let wrong: Vec<Uuid> = sqlx::query_scalar(
        "select transaction_id from ledger_entries
         group by transaction_id, currency
         having sum(debit_minor) <> sum(credit_minor)",
    )
    .fetch_all(&stores.payments)
    .await?;
    Ok(wrong.iter().map(|id| format!("ledger transaction {id} does not balance")).collect())
}

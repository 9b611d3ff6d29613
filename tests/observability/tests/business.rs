//! Figures about business are exact, and a prober is no business.

use std::time::Duration;

use sqlx::Connection as _;

use crate::platform::{Watched, with_watched, within};

async fn is(watched: &Watched, query: &str, expected: f64) {
    let mut found = None;
    within(Duration::from_secs(30), query, async || {
        found = watched.prometheus.value(query).await;
        found == Some(expected)
    })
    .await;
}

/// How many rows of a service's table are a prober's.
async fn marked(watched: &Watched, service: &str, query: &'static str) -> i64 {
    let url = watched.platform.stack.postgres_url(service).unwrap();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
}

#[test]
fn what_customers_did_is_counted_and_what_the_prober_does_is_not() {
    with_watched(async |watched| {
        let done = watched.done;
        let orders = marked(watched, "orders", "select count(*) from orders where synthetic").await;
        let payments =
            marked(watched, "payments", "select count(*) from payments where synthetic").await;
        assert!(
            orders > 0 && payments > 0,
            "the prober bought: {orders} orders, {payments} payments"
        );
        let failed = done.declined + done.stock_outs;
        let placed = done.confirmed + failed;
        for (query, expected) in [
            (r#"stoa_orders_total{state="pending"}"#, f64::from(placed)),
            (r#"stoa_orders_total{state="confirmed"}"#, f64::from(done.confirmed)),
            (r#"stoa_orders_total{state="failed"}"#, f64::from(failed)),
            (r#"stoa_orders_total{state="cancelled"}"#, f64::from(done.cancelled)),
            (r#"stoa_payments_total{outcome="authorized"}"#, f64::from(done.confirmed)),
            (r#"stoa_payments_total{outcome="declined"}"#, f64::from(done.declined)),
            (r#"stoa_revenue_minor_total{currency="EUR"}"#, done.taken as f64),
            (r#"stoa_refunds_minor_total{currency="EUR"}"#, done.given_back as f64),
            ("stoa_stock_outs_total", f64::from(done.stock_outs)),
            // The prober registered once, before anybody could mark it.
            ("stoa_registrations_total", f64::from(done.registered + 1)),
        ] {
            is(watched, query, expected).await;
        }
        assert_eq!(
            marked(watched, "orders", "select count(*) from orders where not synthetic").await,
            i64::from(placed),
            "nobody else's order is marked"
        );
    });
}

#[test]
fn whatever_the_prober_buys_it_gives_back() {
    with_watched(async |watched| {
        // The journey that is under way holds one at most.
        let kept = "select count(*) from orders where synthetic and state <> 'cancelled'";
        within(Duration::from_secs(30), "the prober keeps nothing", async || {
            marked(watched, "orders", kept).await == 0
        })
        .await;
        let held = "select count(*) from payments where synthetic
                    and state not in ('voided', 'refunded')";
        within(Duration::from_secs(30), "the prober has paid for nothing", async || {
            marked(watched, "payments", held).await == 0
        })
        .await;
    });
}

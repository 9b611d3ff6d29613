//! The orders process is killed at every step of a checkout; nothing is lost,
//! charged twice or oversold.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Customer, cents, order};
use crate::platform::{Platform, alone_on_platform, eventually};

/// Every point at which a checkout that succeeds can be cut.
const POINTS: [&str; 8] = [
    "before:reserve",
    "after:reserve",
    "before:pay",
    "after:pay",
    "before:confirm",
    "after:confirm",
    "before:settle",
    "after:settle",
];

/// Every point at which going back can be cut.
const UNDO_POINTS: [&str; 4] =
    ["before:undo-pay", "after:undo-pay", "before:undo-reserve", "after:undo-reserve"];

#[test]
fn an_order_survives_a_crash_at_every_step_of_its_checkout() {
    alone_on_platform(async |platform| {
        for point in POINTS {
            let (customer, product) = shopper(&platform).await;
            let order = crash_while_ordering(&platform, &customer, point, "tok_visa").await;
            let order = ended(&customer, &order, point).await;
            assert_eq!(order["state"], "ORDER_STATE_CONFIRMED", "{point}: {order}");
            settled(&customer, &product, &order, point).await;
        }
    });
}

#[test]
fn a_declined_order_gives_everything_back_after_a_crash_at_every_undo() {
    alone_on_platform(async |platform| {
        for point in UNDO_POINTS {
            let (customer, product) = shopper(&platform).await;
            let order = crash_while_ordering(&platform, &customer, point, "tok_declined").await;
            let order = ended(&customer, &order, point).await;
            assert_eq!(order["state"], "ORDER_STATE_FAILED", "{point}: {order}");
            let stock = customer.client.get(&format!("/v1/products/{product}/stock")).await.ok();
            assert_eq!(
                (&stock["available"], &stock["reserved"]),
                (&"5".into(), &"0".into()),
                "{point}"
            );
        }
    });
}

#[test]
fn a_cancelled_order_gives_everything_back_after_a_crash_at_every_undo() {
    alone_on_platform(async |platform| {
        for point in UNDO_POINTS {
            let (customer, product) = shopper(&platform).await;
            let order = customer.order("tok_visa").await.ok();
            restart_to_die(&platform, point).await;
            let id = order["order_id"].as_str().unwrap();
            let cancel = customer.client.request(Method::POST, &format!("/v1/orders/{id}:cancel"));
            let _ = cancel.json(&json!({})).send().await;
            let _ = back_after_death(&platform, &customer, point).await;
            let order = ended(&customer, id, point).await;
            assert_eq!(order["state"], "ORDER_STATE_CANCELLED", "{point}: {order}");
            let stock = customer.client.get(&format!("/v1/products/{product}/stock")).await.ok();
            assert_eq!(stock["available"], "5", "{point}");
            let payment = order["payment_id"].as_str().unwrap();
            let payment = customer.client.get(&format!("/v1/payments/{payment}")).await.ok();
            assert_eq!(cents(&payment["refunded"]), 5_000, "{point}: {payment}");
        }
    });
}

#[test]
fn a_broker_that_is_down_delays_notifications_and_loses_none() {
    alone_on_platform(async |platform| {
        let (customer, _) = shopper(&platform).await;
        platform.stack.kill("rabbitmq").unwrap();
        let order = customer.order("tok_visa").await.ok();
        assert_eq!(order["state"], "ORDER_STATE_CONFIRMED", "orders are taken without a broker");
        platform.stack.restart("rabbitmq").unwrap();
        let id = &order["order_id"];
        eventually("the confirmation arrives after the broker is back", async || {
            let inbox = customer.client.get("/v1/notifications").await.ok();
            let all = inbox["notifications"].as_array()?.clone();
            all.into_iter().find(|n| &n["order_id"] == id)
        })
        .await;
        for service in ["identity", "catalog", "inventory", "orders", "payments", "notifications"] {
            platform.ready(service).await;
        }
    });
}

async fn shopper(platform: &Platform) -> (Customer, String) {
    let product = platform.admin.product(2_500, 5).await;
    let customer = platform.anonymous().register().await;
    customer.put_in_cart(&product, 2).await;
    (customer, product)
}

/// Places an order with an orders process that aborts at `point`, and starts it
/// again; answers the order's id.
async fn crash_while_ordering(
    platform: &Platform,
    customer: &Customer,
    point: &str,
    token: &str,
) -> String {
    restart_to_die(platform, point).await;
    let request = customer.client.request(Method::POST, "/v1/orders");
    let request = request.header("idempotency-key", point).json(&order(token));
    // The answer is lost with the process, or was sent just before.
    let _ = request.send().await;
    let orders = back_after_death(platform, customer, point).await;
    orders["orders"][0]["order_id"].as_str().expect("the order was written down").to_owned()
}

/// Starts an orders process that will abort at `point`.
async fn restart_to_die(platform: &Platform, point: &str) {
    platform.stack.kill("orders").unwrap();
    platform.stack.restart_with("orders", &[("CRASH_AT", point)]).unwrap();
    platform.ready("orders").await;
    eventually("the edge finds the process that will die", async || {
        let answer = platform.admin.client.get("/v1/orders").await;
        answer.status.is_success().then_some(())
    })
    .await;
}

/// Waits for the process's death, starts a healthy one, and answers the customer's
/// orders.
async fn back_after_death(platform: &Platform, customer: &Customer, point: &str) -> Value {
    eventually(&format!("orders dies at {point}"), async || {
        (!platform.stack.is_alive("orders")).then_some(())
    })
    .await;
    platform.stack.restart("orders").unwrap();
    platform.ready("orders").await;
    eventually("the edge finds the new process", async || {
        let answer = customer.client.get("/v1/orders").await;
        answer.status.is_success().then_some(answer.body)
    })
    .await
}

async fn ended(customer: &Customer, id: &str, point: &str) -> Value {
    eventually(&format!("the order has its end after a crash at {point}"), async || {
        let order = customer.client.get(&format!("/v1/orders/{id}")).await.ok();
        let state = order["state"].as_str()?;
        let moving = ["ORDER_STATE_PENDING", "ORDER_STATE_CANCELLING"];
        (!moving.contains(&state)).then_some(order)
    })
    .await
}

/// Stock and money are taken exactly once, and the cart is empty.
async fn settled(customer: &Customer, product: &str, order: &Value, point: &str) {
    eventually(&format!("everything is settled after a crash at {point}"), async || {
        let stock = customer.client.get(&format!("/v1/products/{product}/stock")).await.ok();
        let cart = customer.client.get("/v1/cart").await.ok();
        let path = format!("/v1/payments/{}", order["payment_id"].as_str()?);
        let payment = customer.client.get(&path).await.ok();
        let sold = stock["available"] == "3" && stock["reserved"] == "0";
        let paid =
            payment["state"] == "PAYMENT_STATE_CAPTURED" && cents(&payment["amount"]) == 5_000;
        (sold && paid && cart["item_count"] == 0).then_some(())
    })
    .await;
}

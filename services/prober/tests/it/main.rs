//! Journeys through a shop whose answers the test decides. The real one is travelled
//! through in `tests/observability`.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse as _;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use prober::figures;
use prober::journey::{Depth, Journey, Traveller};
use prober::shop::Shop;
use serde_json::{Value, json};

/// What the shop answers where it differs from the good case: path, status, body.
type Trouble = HashMap<&'static str, (u16, Value)>;

const ORDER: &str = "/v1/orders/o1";

fn good(method: &Method, path: &str) -> Value {
    match (method.as_str(), path) {
        ("POST", "/v1/auth/login") => json!({ "access_token": "a", "refresh_token": "r" }),
        ("GET", "/v1/products") => {
            json!({ "products": [{ "product_id": "sold-out" }, { "product_id": "p1" }] })
        }
        ("GET", "/v1/products/sold-out/stock") => json!({ "available": "0" }),
        ("GET", "/v1/products/p1/stock") => json!({ "available": "3" }),
        ("GET", "/v1/cart") => json!({ "items": [{ "product_id": "p1" }] }),
        ("GET", "/v1/orders") => {
            json!({ "orders": [{ "order_id": "left", "state": "ORDER_STATE_CONFIRMED" }] })
        }
        ("POST", "/v1/orders") => json!({ "order_id": "o1" }),
        ("GET", "/v1/notifications") => json!({ "notifications": [
            { "order_id": "o1", "kind": "NOTIFICATION_KIND_ORDER_CONFIRMED" }
        ] }),
        ("GET", "/v1/payments/m1") => json!({ "state": "PAYMENT_STATE_REFUNDED" }),
        _ => json!({}),
    }
}

/// Serves a shop; answers its address and what it was asked.
async fn shop(trouble: Trouble) -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::<String>::new()));
    let log = asked.clone();
    let answer = move |method: Method, uri: Uri, body: Bytes| async move {
        let path = uri.path().to_owned();
        let line = format!("{method} {path} {}", String::from_utf8_lossy(&body));
        let cancelled = {
            let mut log = log.lock().unwrap();
            log.push(line);
            log.iter().any(|line| line.starts_with("POST /v1/orders/o1:cancel"))
        };
        if let Some((status, body)) = trouble.get(path.as_str()) {
            return (StatusCode::from_u16(*status).unwrap(), body.to_string()).into_response();
        }
        if path == ORDER {
            let state = if cancelled { "ORDER_STATE_CANCELLED" } else { "ORDER_STATE_CONFIRMED" };
            return json!({ "state": state, "payment_id": "m1" }).to_string().into_response();
        }
        good(&method, &path).to_string().into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, asked)
}

async fn travel(url: &str) -> Journey {
    travel_to(Depth::Order, url).await
}

async fn travel_to(depth: Depth, url: &str) -> Journey {
    let patience = Duration::from_millis(900);
    let traveller = Traveller {
        shop: Shop::new(url, None, patience).unwrap(),
        email: "prober@example.com".to_owned(),
        password: "correct horse".into(),
        payment_token: "tok_visa".into(),
        query: String::new(),
        depth,
        patience,
    };
    traveller.travel().await
}

async fn trouble_at(path: &'static str, status: u16, body: Value) -> String {
    let (url, _) = shop(Trouble::from([(path, (status, body))])).await;
    format!("{:#}", travel(&url).await.outcome.unwrap_err())
}

#[tokio::test]
async fn a_journey_buys_what_is_in_stock_and_gives_it_back() {
    let (url, asked) = shop(Trouble::new()).await;
    travel(&url).await.outcome.unwrap();
    let asked = asked.lock().unwrap().join("\n");
    assert!(asked.contains(r#"POST /v1/cart/items {"product_id":"p1","quantity":1}"#), "{asked}");
    assert!(asked.contains("POST /v1/orders/o1:cancel"), "{asked}");
    assert!(asked.contains(r#"POST /v1/auth/logout {"refresh_token":"r"}"#), "{asked}");
}

#[tokio::test]
async fn what_an_earlier_journey_left_is_cleared_away_first() {
    let (url, asked) = shop(Trouble::new()).await;
    travel(&url).await.outcome.unwrap();
    let asked = asked.lock().unwrap();
    let at = |what: &str| asked.iter().position(|line| line.starts_with(what)).unwrap();
    assert!(at("POST /v1/orders/left:cancel") < at("POST /v1/orders {"));
    assert!(at("DELETE /v1/cart") < at("POST /v1/cart/items"));
}

#[tokio::test]
async fn a_failure_names_the_step_and_the_reason_and_no_more() {
    let refused = json!({ "message": "secret", "details": [{ "reason": "OVERLOADED" }] });
    let error = trouble_at("/v1/orders", 503, refused).await;
    assert!(error.starts_with("cart failed: GET /v1/orders was answered 503"), "{error}");
    assert!(error.ends_with("OVERLOADED") && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn an_order_that_fails_is_a_failed_journey_at_once() {
    let failed = json!({ "state": "ORDER_STATE_FAILED", "failure_reason": "PAYMENT_DECLINED" });
    let error = trouble_at(ORDER, 200, failed).await;
    assert_eq!(error, "confirm failed: the order is ORDER_STATE_FAILED: PAYMENT_DECLINED");
}

#[tokio::test]
async fn a_notification_that_does_not_come_is_waited_for_and_no_longer() {
    let error = trouble_at("/v1/notifications", 200, json!({ "notifications": [] })).await;
    assert_eq!(error, "notify failed: not done after 0 s");
}

#[tokio::test]
async fn money_that_stays_is_a_failed_journey() {
    let captured = json!({ "state": "PAYMENT_STATE_CAPTURED" });
    let error = trouble_at("/v1/payments/m1", 200, captured).await;
    assert_eq!(error, "money_back failed: the payment is PAYMENT_STATE_CAPTURED");
}

#[tokio::test]
async fn a_shop_that_is_not_there_is_a_failed_journey() {
    let error = format!("{:#}", travel("http://127.0.0.1:1").await.outcome.unwrap_err());
    assert!(error.starts_with("sign_in failed: POST /v1/auth/login had no answer"), "{error}");
}

#[tokio::test]
async fn a_journey_to_the_cart_orders_and_pays_nothing() {
    let (url, asked) = shop(Trouble::new()).await;
    travel_to(Depth::Cart, &url).await.outcome.unwrap();
    let asked = asked.lock().unwrap().join("\n");
    for made in
        ["POST /v1/auth/login", "GET /v1/products", "POST /v1/cart/items", "/v1/auth/logout"]
    {
        assert!(asked.contains(made), "{made} is not in {asked}");
    }
    assert!(!asked.contains("POST /v1/orders {") && !asked.contains("tok_visa"), "{asked}");
}

/// What is measured of one journey: the metric's name and its step.
fn measured(depth: Depth, trouble: Trouble) -> HashMap<String, DebugValue> {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            figures::begin(depth);
            let (url, _) = shop(trouble).await;
            figures::journey(&travel_to(depth, &url).await);
        });
    });
    let seen = snapshotter.snapshot().into_vec().into_iter();
    let name = |key: &metrics::Key| {
        let step = key.labels().next().map(|label| label.value().to_owned());
        format!("{} {}", key.name(), step.unwrap_or_default())
    };
    seen.map(|(key, .., value)| (name(key.key()), value)).collect()
}

#[test]
fn of_steps_that_are_not_made_nothing_is_counted() {
    let cart = measured(Depth::Cart, Trouble::new());
    assert!(matches!(cart["prober_journey_success "], DebugValue::Gauge(g) if g.0 == 1.0));
    let count = |step: &str| cart.keys().filter(|key| key.ends_with(&format!(" {step}"))).count();
    for made in ["sign_in", "browse", "cart", "sign_out"] {
        assert_eq!(count(made), 2, "{made}: how long it took, and no failure");
    }
    for left in ["order", "confirm", "notify", "cancel", "money_back"] {
        assert_eq!(count(left), 0, "{left}");
    }
}

#[test]
fn every_journey_is_measured_whether_it_worked_or_not() {
    let journey = |trouble: Trouble| measured(Depth::Order, trouble);

    let good = journey(Trouble::new());
    assert!(matches!(good["prober_journey_success "], DebugValue::Gauge(g) if g.0 == 1.0));
    assert!(good.contains_key("prober_last_success_timestamp_seconds "));
    assert!(
        matches!(&good["prober_step_duration_seconds cancel"], DebugValue::Histogram(h) if h.len() == 1)
    );
    assert!(matches!(good["prober_step_failures_total cart"], DebugValue::Counter(0)));

    let bad = journey(Trouble::from([("/v1/cart", (500, json!({})))]));
    assert!(matches!(bad["prober_journey_success "], DebugValue::Gauge(g) if g.0 == 0.0));
    assert!(matches!(bad["prober_step_failures_total cart"], DebugValue::Counter(1)));
    assert!(
        !matches!(bad.get("prober_step_duration_seconds order"), Some(DebugValue::Histogram(h)) if !h.is_empty())
    );
}

//! Orders: idempotency, refusals, cancelling, watching, ownership.

use futures::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Customer, cents, order};
use crate::platform::{Platform, eventually, with_platform};

async fn stock(customer: &Customer, product: &str) -> (String, String) {
    let stock = customer.client.get(&format!("/v1/products/{product}/stock")).await.ok();
    let text = |field: &str| stock[field].as_str().unwrap().to_owned();
    (text("available"), text("reserved"))
}

async fn shopper(platform: &Platform, price: i64, pieces: i64) -> (Customer, String) {
    let product = platform.admin.product(price, pieces).await;
    let customer = platform.anonymous().register().await;
    customer.put_in_cart(&product, 1).await;
    (customer, product)
}

#[test]
fn the_same_key_returns_the_same_order_and_another_body_is_refused() {
    with_platform(async |platform| {
        let (customer, product) = shopper(&platform, 500, 5).await;
        let key = Uuid::now_v7().to_string();
        let first = customer.client.post_with_key("/v1/orders", &key, order("tok_visa")).await.ok();
        let again = customer.client.post_with_key("/v1/orders", &key, order("tok_visa")).await.ok();
        assert_eq!(first["order_id"], again["order_id"]);
        let body = order("tok_mastercard");
        let refused = customer.client.post_with_key("/v1/orders", &key, body).await;
        assert_eq!(
            (refused.status, refused.reason()),
            (StatusCode::CONFLICT, "IDEMPOTENCY_KEY_REUSED")
        );
        assert_eq!(stock(&customer, &product).await, ("4".to_owned(), "0".to_owned()));
    });
}

#[test]
fn the_same_key_ten_times_at_once_makes_one_order() {
    with_platform(async |platform| {
        let (customer, product) = shopper(&platform, 500, 50).await;
        let key = Uuid::now_v7().to_string();
        let calls =
            (0..10).map(|_| customer.client.post_with_key("/v1/orders", &key, order("tok_visa")));
        let answers = futures::future::join_all(calls).await;
        let mut ids: Vec<Value> = answers.into_iter().map(|a| a.ok()["order_id"].clone()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(stock(&customer, &product).await.0, "49");
    });
}

#[test]
fn a_declined_payment_leaves_the_order_failed_nothing_reserved_and_nothing_charged() {
    with_platform(async |platform| {
        let (customer, product) = shopper(&platform, 500, 5).await;
        let order = customer.order("tok_declined").await.ok();
        assert_eq!(order["state"], "ORDER_STATE_FAILED");
        assert_eq!(order["failure_reason"], "PAYMENT_DECLINED");
        assert_eq!(stock(&customer, &product).await, ("5".to_owned(), "0".to_owned()));
        let payment = order["payment_id"].as_str().unwrap_or_default();
        if !payment.is_empty() {
            let payment = customer.client.get(&format!("/v1/payments/{payment}")).await.ok();
            assert_eq!(payment["state"], "PAYMENT_STATE_FAILED");
        }
        let cart = customer.client.get("/v1/cart").await.ok();
        assert_eq!(cart["item_count"], 1, "the cart is kept for another try");
    });
}

#[test]
fn what_is_not_in_stock_cannot_be_bought_and_nothing_is_charged() {
    with_platform(async |platform| {
        let (customer, product) = shopper(&platform, 500, 0).await;
        let order = customer.order("tok_visa").await.ok();
        assert_eq!(
            (&order["state"], &order["failure_reason"]),
            (&json!("ORDER_STATE_FAILED"), &json!("OUT_OF_STOCK"))
        );
        assert_eq!(stock(&customer, &product).await, ("0".to_owned(), "0".to_owned()));
    });
}

#[test]
fn an_empty_cart_cannot_be_ordered() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let refused = customer.order("tok_visa").await;
        assert_eq!((refused.status, refused.reason()), (StatusCode::BAD_REQUEST, "CART_EMPTY"));
    });
}

#[test]
fn cancelling_gives_money_and_stock_back_once() {
    with_platform(async |platform| {
        let (customer, product) = shopper(&platform, 1_999, 5).await;
        let order = customer.order("tok_visa").await.ok();
        let path = format!("/v1/orders/{}", order["order_id"].as_str().unwrap());
        for _ in 0..2 {
            let cancelled = customer.client.post(&format!("{path}:cancel"), json!({})).await.ok();
            assert_eq!(cancelled["state"], "ORDER_STATE_CANCELLED");
        }
        assert_eq!(stock(&customer, &product).await, ("5".to_owned(), "0".to_owned()));
        let payment = order["payment_id"].as_str().unwrap();
        let payment = customer.client.get(&format!("/v1/payments/{payment}")).await.ok();
        assert_eq!(payment["state"], "PAYMENT_STATE_REFUNDED");
        assert_eq!(cents(&payment["refunded"]), 1_999);
    });
}

#[test]
fn a_failed_order_cannot_be_cancelled() {
    with_platform(async |platform| {
        let (customer, _) = shopper(&platform, 500, 5).await;
        let order = customer.order("tok_declined").await.ok();
        let path = format!("/v1/orders/{}:cancel", order["order_id"].as_str().unwrap());
        let refused = customer.client.post(&path, json!({})).await;
        assert_eq!(refused.reason(), "ORDER_NOT_CANCELLABLE");
    });
}

#[test]
fn a_watcher_sees_the_order_now_and_when_it_is_cancelled() {
    with_platform(async |platform| {
        let (customer, _) = shopper(&platform, 500, 5).await;
        let order = customer.order("tok_visa").await.ok();
        let path = format!("/v1/orders/{}", order["order_id"].as_str().unwrap());
        let watching = customer.client.request(Method::GET, &format!("{path}:watch")).send().await;
        let mut chunks = watching.unwrap().bytes_stream();
        let mut seen = String::new();
        let mut cancelled = false;
        let watch = async {
            while let Some(chunk) = chunks.next().await {
                seen.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
                if !cancelled && seen.contains("ORDER_STATE_CONFIRMED") {
                    cancelled = true;
                    customer.client.post(&format!("{path}:cancel"), json!({})).await.ok();
                }
            }
        };
        let limit = std::time::Duration::from_secs(30);
        tokio::time::timeout(limit, watch).await.expect("the stream ends by itself");
        let lines: Vec<Value> = seen.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.first().unwrap()["order"]["state"], "ORDER_STATE_CONFIRMED");
        let last = lines.last().unwrap();
        assert_eq!(last["order"]["state"], "ORDER_STATE_CANCELLED");
        assert_eq!(last["final"], true);
    });
}

#[test]
fn another_customers_order_and_payment_do_not_exist() {
    with_platform(async |platform| {
        let (owner, _) = shopper(&platform, 500, 5).await;
        let order = owner.order("tok_visa").await.ok();
        let stranger = platform.anonymous().register().await;
        let path = format!("/v1/orders/{}", order["order_id"].as_str().unwrap());
        let payment = format!("/v1/payments/{}", order["payment_id"].as_str().unwrap());
        let answers = [
            stranger.client.get(&path).await,
            stranger.client.get(&format!("{path}:watch")).await,
            stranger.client.post(&format!("{path}:cancel"), json!({})).await,
            stranger.client.get(&payment).await,
        ];
        for answer in answers {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
        }
        assert!(
            stranger.client.get("/v1/orders").await.ok()["orders"].as_array().unwrap().is_empty()
        );
    });
}

#[test]
fn twenty_customers_race_for_five_pieces_and_five_get_them() {
    with_platform(async |platform| {
        let product = platform.admin.product(700, 5).await;
        let race = (0..20).map(|_| async {
            let customer = platform.anonymous().register().await;
            customer.put_in_cart(&product, 1).await;
            let order = customer.order("tok_visa").await.ok();
            (customer, order["order_id"].as_str().unwrap().to_owned())
        });
        let racers = futures::future::join_all(race).await;
        let mut confirmed = 0;
        for (customer, id) in &racers {
            let state = eventually("every order has its end", async || {
                let order = customer.client.get(&format!("/v1/orders/{id}")).await.ok();
                let state = order["state"].as_str()?.to_owned();
                (state != "ORDER_STATE_PENDING").then_some(state)
            })
            .await;
            confirmed += usize::from(state == "ORDER_STATE_CONFIRMED");
        }
        assert_eq!(confirmed, 5);
        let (customer, _) = &racers[0];
        eventually("all five are sold", async || {
            (stock(customer, &product).await == ("0".to_owned(), "0".to_owned())).then_some(())
        })
        .await;
    });
}

//! Bad input: every one gets a 4xx with `google.rpc.Status`, and the edge lives on.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Answer, Client, order, send};
use crate::platform::{Platform, alone_on_platform, with_platform};

/// `google.rpc.Status` with a stable reason, whoever made it.
fn is_status(answer: &Answer) {
    let body = &answer.body;
    assert!(body["code"].is_i64() && body["message"].is_string(), "no Status: {}", answer.text);
    assert!(!answer.reason().is_empty(), "no reason: {}", answer.text);
}

async fn raw(client: &Client, method: Method, path: &str, body: &str) -> Answer {
    let request = client.request(method, path).header("content-type", "application/json");
    send(request.header("idempotency-key", "k").body(body.to_owned())).await
}

#[test]
fn malformed_and_wrong_requests_are_refused_with_a_status() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let huge = format!("{{\"payment_token\":\"{}\"}}", "x".repeat(100_000));
        let cases = [
            (Method::POST, "/v1/orders", "{", 400),
            (Method::POST, "/v1/orders", "null", 400),
            (Method::POST, "/v1/orders", "[]", 400),
            (Method::POST, "/v1/orders", "{}", 400),
            (Method::POST, "/v1/orders", deep.as_str(), 400),
            (Method::POST, "/v1/orders", huge.as_str(), 413),
            (Method::POST, "/v1/cart/items", r#"{"product_id":7}"#, 400),
            (Method::POST, "/v1/cart/items", r#"{"product_id":"x","quantity":1}"#, 400),
            (Method::POST, "/v1/cart/items", r#"{"quantity":"many"}"#, 400),
            (Method::POST, "/v1/cart/items", r#"{"quantity":1e99}"#, 400),
            (Method::GET, "/v1/products?page_size=1000", "", 400),
            (Method::GET, "/v1/products?page_size=ten", "", 400),
            (Method::GET, "/v1/products?colour=red", "", 400),
            (Method::GET, "/v1/products?page_token=made-up", "", 400),
            (Method::GET, "/v1/products/not-a-uuid", "", 400),
            (Method::GET, "/v1/orders/019a0000-0000-7000-8000-000000000000", "", 404),
            (Method::GET, "/v1/nothing", "", 404),
            (Method::DELETE, "/v1/orders", "", 404),
            (Method::POST, "/v1/auth/refresh", r#"{"refresh_token":"made-up"}"#, 401),
        ];
        for (method, path, body, expected) in cases {
            let answer = raw(&customer.client, method.clone(), path, body).await;
            let shown = &body[..body.len().min(60)];
            assert_eq!(
                answer.status.as_u16(),
                expected,
                "{method} {path} {shown}: {}",
                answer.text
            );
            is_status(&answer);
        }
    });
}

#[test]
fn a_registration_that_breaks_the_contract_names_every_field() {
    with_platform(async |platform| {
        let body = json!({"email": "not an address", "password": "short", "display_name": ""});
        let refused = platform.anonymous().post("/v1/auth/register", body).await;
        assert_eq!(
            (refused.status, refused.reason()),
            (StatusCode::BAD_REQUEST, "VALIDATION_FAILED")
        );
        assert_eq!(refused.fields(), ["email", "password", "display_name"]);
    });
}

#[test]
fn a_field_that_the_contract_does_not_know_is_refused_and_named() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let body = json!({"product_id": "x", "quantity": 1, "qty": 2, "nested": {"a": 1}});
        let refused = customer.client.post("/v1/cart/items", body).await;
        let found = (refused.status, refused.reason());
        assert_eq!(found, (StatusCode::BAD_REQUEST, "FIELD_UNKNOWN"), "{}", refused.text);
        assert_eq!(refused.fields(), ["qty", "nested"]);
        let renamed = json!({"display_name": "Ada", "verified": true});
        let refused = customer.client.patch("/v1/users/me", renamed).await;
        assert_eq!(refused.fields(), ["verified"], "{}", refused.text);
        let me = customer.client.get("/v1/users/me").await.ok();
        assert_eq!(me["display_name"], "Ada", "nothing was changed");
    });
}

#[test]
fn a_key_that_is_missing_is_asked_for() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let refused = customer.client.post("/v1/orders", order("tok_visa")).await;
        assert_eq!(
            (refused.status, refused.reason()),
            (StatusCode::BAD_REQUEST, "IDEMPOTENCY_KEY_MISSING")
        );
    });
}

#[test]
fn tokens_that_are_missing_forged_or_of_the_wrong_role_are_refused() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let anonymous = platform.anonymous().get("/v1/cart").await;
        assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
        is_status(&anonymous);
        for token in forged(customer.session["access_token"].as_str().unwrap()) {
            let refused = platform.anonymous().with_token(&token).get("/v1/cart").await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{token}");
            is_status(&refused);
            let public = platform.anonymous().with_token(&token).get("/v1/products").await;
            assert_eq!(public.status, StatusCode::UNAUTHORIZED, "a bad token is bad everywhere");
        }
        let refused = customer.client.post("/v1/products", json!({"sku": "X-1"})).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        is_status(&refused);
    });
}

/// Another algorithm, another signature, no token at all.
fn forged(token: &str) -> Vec<String> {
    let parts: Vec<&str> = token.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    let mut flipped = parts[2].to_owned();
    let first = if flipped.starts_with('A') { "B" } else { "A" };
    flipped.replace_range(..1, first);
    vec![
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.{flipped}", parts[0], parts[1]),
        "made-up".to_owned(),
    ]
}

#[test]
fn a_webhook_without_a_good_signature_is_refused() {
    with_platform(async |platform| {
        let client = platform.anonymous();
        let event = json!({"id": "evt_1", "type": "charge.captured"});
        let path = "/v1/payments/webhooks/sandbox";
        let unsigned = client.post(path, event.clone()).await;
        assert_eq!(unsigned.reason(), "WEBHOOK_SIGNATURE_INVALID", "{}", unsigned.text);
        let request = client.request(Method::POST, path).header("stoa-signature", "t=1,v1=00");
        let forged = send(request.json(&event)).await;
        assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn empty_strings_everywhere_do_not_bring_the_edge_down() {
    with_platform(async |platform| {
        let before = platform.stack.pid_of("edge");
        let empty = json!({"email": "", "password": "", "display_name": ""});
        platform.anonymous().post("/v1/auth/register", empty).await;
        let product = json!({"sku": "", "name": "", "description": "", "category": "", "image_url": "",
            "price": {"currency_code": "", "units": "0", "nanos": 0}});
        platform.admin.client.post("/v1/products", product).await;
        let customer = platform.anonymous().register().await;
        let body = json!({"payment_token": "", "shipping_address": {}});
        customer.client.post_once("/v1/orders", body).await;
        customer.client.get("/v1/products?q=&category=&page_token=").await.ok();
        assert_eq!(platform.stack.pid_of("edge"), before, "the edge is still the same process");
        still_open(&platform).await;
    });
}

#[test]
fn a_client_that_signs_in_too_often_is_asked_to_wait() {
    alone_on_platform(async |platform| {
        platform.stack.limit_rates(true).await.unwrap();
        let client = platform.anonymous();
        let mut last = None;
        for number in 0..200 {
            // Each somebody else: an account has a limit of its own.
            let email = format!("nobody{number}@example.com");
            let body = json!({"email": email, "password": "guess"});
            let answer = client.post("/v1/auth/login", body).await;
            let limited = answer.status == StatusCode::TOO_MANY_REQUESTS;
            last = Some(answer);
            if limited {
                break;
            }
        }
        platform.stack.limit_rates(false).await.unwrap();
        let last = last.unwrap();
        assert_eq!((last.status, last.reason()), (StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED"));
    });
}

#[test]
fn a_user_who_orders_too_often_is_asked_to_wait_wherever_the_calls_come_from() {
    alone_on_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let other = platform.anonymous().register().await;
        platform.stack.limit_rates(true).await.unwrap();
        let mut refused = None;
        // Loopback is a whole network: every request from an address of its own.
        for host in 2..200 {
            let client = customer.client.at_address([127, 0, 0, host].into());
            let answer = client.post_once("/v1/orders", order("tok_visa")).await;
            if answer.status == StatusCode::TOO_MANY_REQUESTS {
                refused = Some(answer);
                break;
            }
            assert_eq!(answer.reason(), "CART_EMPTY", "{}", answer.text);
        }
        let neighbour = other.client.post_once("/v1/orders", order("tok_visa")).await;
        platform.stack.limit_rates(false).await.unwrap();
        assert_eq!(refused.expect("a limit").reason(), "RATE_LIMITED");
        assert_eq!(neighbour.reason(), "CART_EMPTY", "another user has a bucket of their own");
    });
}

async fn still_open(platform: &Platform) {
    let answer: Value = platform.anonymous().get("/v1/products?page_size=1").await.ok();
    assert!(answer["products"].is_array());
}

//! Charges: tokens, steps, idempotency, lists.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::bank::{Bank, charge};

#[tokio::test]
async fn a_charge_is_made_captured_and_refunded_in_parts() {
    let bank = Bank::open().await;
    let path = bank.charge("tok_visa", "a").await;
    let (_, made) = bank.get(&path).await;
    assert_eq!(made["state"], "authorized");
    assert_eq!(made["reference"], "ref");
    let (status, captured) = bank.post(&format!("{path}/capture"), "b", json!({})).await;
    assert_eq!((status, &captured["state"]), (200, &json!("captured")));
    let refunds = format!("{path}/refunds");
    let (_, part) = bank.post(&refunds, "c", json!({ "amount_minor": 300 })).await;
    assert_eq!(
        (&part["state"], &part["refunded_minor"]),
        (&json!("partially_refunded"), &json!(300))
    );
    let (status, error) = bank.post(&refunds, "d", json!({ "amount_minor": 701 })).await;
    assert_eq!((status, &error["error"]["code"]), (409, &json!("refund_too_large")));
    let (_, all) = bank.post(&refunds, "e", json!({ "amount_minor": 700 })).await;
    assert_eq!(all["state"], "refunded");
}

#[tokio::test]
async fn a_step_that_the_state_does_not_allow_is_a_conflict() {
    let bank = Bank::open().await;
    let path = bank.charge("tok_mastercard", "a").await;
    let (_, error) = bank.post(&format!("{path}/refunds"), "b", json!({ "amount_minor": 1 })).await;
    assert_eq!(error["error"]["code"], "charge_not_refundable");
    let (status, voided) = bank.post(&format!("{path}/void"), "c", json!({})).await;
    assert_eq!((status, &voided["state"]), (200, &json!("voided")));
    for (step, code) in [("capture", "charge_not_capturable"), ("void", "charge_not_voidable")] {
        let (status, error) = bank.post(&format!("{path}/{step}"), step, json!({})).await;
        assert_eq!((status, &error["error"]["code"]), (409, &json!(code)));
    }
    let (status, error) = bank.post("/v1/charges/ch_nobody/void", "d", json!({})).await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn tokens_refuse_as_they_are_named() {
    let bank = Bank::open().await;
    let cases = [
        ("tok_declined", 402, "card_declined"),
        ("tok_insufficient_funds", 402, "insufficient_funds"),
        ("tok_expired_card", 402, "expired_card"),
        ("tok_requires_action", 402, "action_required"),
        ("tok_unavailable", 503, "unavailable"),
        ("tok_made_up", 400, "token_unknown"),
    ];
    for (token, status, code) in cases {
        for _ in 0..2 {
            let (got, body) = bank.post("/v1/charges", token, charge(token, "ref")).await;
            assert_eq!((got, &body["error"]["code"]), (status, &json!(code)));
        }
    }
    assert_eq!(bank.count("select count(*) from charges where state = 'declined'").await, 4);
    assert_eq!(bank.count("select count(*) from charges").await, 4);
}

#[tokio::test]
async fn the_same_key_charges_once_and_answers_the_same() {
    let bank = Bank::open().await;
    let body = charge("tok_visa", "ref");
    let charging = || bank.post("/v1/charges", "key", body.clone());
    let (a, b, c) = tokio::join!(charging(), charging(), charging());
    assert_eq!(a.0, 201);
    assert_eq!(a, b);
    assert_eq!(b, c);
    assert_eq!(bank.count("select count(*) from charges").await, 1);

    let (status, error) = bank.post("/v1/charges", "key", charge("tok_visa", "other")).await;
    assert_eq!((status, &error["error"]["code"]), (409, &json!("idempotency_key_reused")));
    let void = format!("/v1/charges/{}/void", a.1["id"].as_str().unwrap());
    let (status, error) = bank.post(&void, "key", json!({})).await;
    assert_eq!((status, &error["error"]["code"]), (409, &json!("idempotency_key_reused")));
}

#[tokio::test]
async fn a_refund_repeated_with_its_key_gives_money_back_once() {
    let bank = Bank::open().await;
    let path = bank.charge("tok_visa", "a").await;
    bank.post(&format!("{path}/capture"), "b", json!({})).await;
    for _ in 0..3 {
        let refunds = format!("{path}/refunds");
        let (status, part) = bank.post(&refunds, "c", json!({ "amount_minor": 400 })).await;
        assert_eq!((status, &part["refunded_minor"]), (200, &json!(400)));
    }
}

#[tokio::test]
async fn slow_and_lost_answers_come_after_the_charge_is_made() {
    let bank = Bank::with(&["--slow-millis=300", "--timeout-millis=60000"]).await;
    let started = Instant::now();
    bank.charge("tok_slow", "a").await;
    assert!(started.elapsed() >= Duration::from_millis(300));

    let held = tokio::time::timeout(Duration::from_secs(1), bank.charge("tok_timeout", "b")).await;
    assert!(held.is_err(), "the answer is held");
    assert_eq!(bank.count("select count(*) from charges where state = 'authorized'").await, 2);
    // Who asks again is told at once.
    bank.charge("tok_timeout", "b").await;
    assert_eq!(bank.count("select count(*) from charges").await, 2);
}

#[tokio::test]
async fn charges_are_found_by_reference_and_listed_in_pages() {
    let bank = Bank::open().await;
    for n in 0..5 {
        let reference = format!("ref-{n}");
        bank.post("/v1/charges", &reference, charge("tok_visa", &reference)).await;
    }
    let (_, found) = bank.get("/v1/charges?reference=ref-3").await;
    assert_eq!(found["data"].as_array().unwrap().len(), 1);
    assert_eq!(found["data"][0]["reference"], "ref-3");
    let (_, none) = bank.get("/v1/charges?reference=nobody").await;
    assert_eq!(none, json!({ "data": [], "next": null }));

    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let (_, page) = bank.get(&format!("/v1/charges?limit=2{after}")).await;
        let references = page["data"].as_array().unwrap().iter().map(|c| c["reference"].clone());
        seen.extend(references);
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, ["ref-4", "ref-3", "ref-2", "ref-1", "ref-0"]);
}

#[tokio::test]
async fn requests_without_key_sense_or_permission_are_refused() {
    let bank = Bank::open().await;
    let url = format!("{}/v1/charges", bank.url);
    let stranger = bank.client.get(&url).bearer_auth("sk_wrong").send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let nobody = bank.client.get(&url).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    let without_key = bank.client.post(&url).bearer_auth("sk_test").json(&charge("tok_visa", "r"));
    assert_eq!(without_key.send().await.unwrap().status(), 400);
    let mut bad = vec![json!({}), json!({ "amount_minor": 1 })];
    for (field, value) in [
        ("amount_minor", json!(0)),
        ("amount_minor", json!(-1)),
        ("amount_minor", json!(1.5)),
        ("currency", json!("eur")),
        ("reference", json!("")),
        ("extra", json!(1)),
    ] {
        let mut body = charge("tok_visa", "ref");
        body[field] = value;
        bad.push(body);
    }
    for body in bad {
        let (status, answer) = bank.post("/v1/charges", "key", body.clone()).await;
        assert_eq!(status, 400, "{body} {answer}");
    }
    assert_eq!(bank.count("select count(*) from charges").await, 0);
}

#[tokio::test]
async fn the_admin_port_tells_that_it_lives_and_is_ready() {
    let bank = Bank::open().await;
    for probe in ["livez", "readyz", "metrics"] {
        let answer = bank.client.get(format!("{}/{probe}", bank.admin_url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{probe}");
    }
}

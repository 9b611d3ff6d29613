//! Webhooks: one per change, signed, repeated until they are taken.

use std::collections::HashSet;

use serde_json::json;

use crate::bank::{Bank, SECRET, charge};

#[tokio::test]
async fn every_change_is_told_once_and_signed() {
    let bank = Bank::open().await;
    let path = bank.charge("tok_visa", "a").await;
    bank.post(&format!("{path}/capture"), "b", json!({})).await;
    bank.post(&format!("{path}/refunds"), "c", json!({ "amount_minor": 400 })).await;
    bank.post("/v1/charges", "d", charge("tok_declined", "other")).await;
    let voided = bank.charge("tok_visa", "e").await;
    bank.post(&format!("{voided}/void"), "f", json!({})).await;

    let bodies = bank.door.bodies(6).await;
    let mut types: Vec<_> = bodies.iter().map(|b| b["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(
        types,
        [
            "charge.authorized",
            "charge.authorized",
            "charge.captured",
            "charge.declined",
            "charge.refunded",
            "charge.voided"
        ]
    );
    let refunded = bodies.iter().find(|b| b["type"] == "charge.refunded").unwrap();
    assert_eq!(refunded["data"]["amount_minor"], 1_000);
    assert_eq!(refunded["data"]["refunded_minor"], 400);
    assert_eq!(refunded["data"]["state"], "partially_refunded");
    assert_eq!(refunded["data"]["reference"], "ref");
    for (signature, body) in bank.door.letters() {
        let time = signature.strip_prefix("t=").and_then(|s| s.split_once(',')).unwrap().0;
        let time = time.parse().unwrap();
        assert_eq!(signature, sandbox::signature::sign(SECRET, time, body.as_bytes()));
    }
}

#[tokio::test]
async fn a_webhook_is_repeated_until_it_is_taken() {
    let bank = Bank::open().await;
    bank.door.refuse(2);
    bank.charge("tok_visa", "a").await;
    bank.door.bodies(1).await;
    testkit::eventually("the webhook is done", async || {
        let open = bank.count("select count(*) from webhooks where due_at is not null").await;
        (open == 0).then_some(())
    })
    .await;
    assert_eq!(bank.count("select attempts::bigint from webhooks").await, 3);
}

#[tokio::test]
async fn a_webhook_that_nobody_takes_is_given_up() {
    let bank = Bank::with(&["--webhook-max-age-seconds=0"]).await;
    bank.door.refuse(u32::MAX);
    bank.charge("tok_visa", "a").await;
    testkit::eventually("the webhook is given up", async || {
        let given_up =
            "select count(*) from webhooks where due_at is null and delivered_at is null";
        (bank.count(given_up).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn duplicates_carry_the_same_id() {
    let bank = Bank::with(&["--webhook-duplicates=2", "--webhook-jitter-millis=50"]).await;
    bank.charge("tok_visa", "a").await;
    let bodies = bank.door.bodies(3).await;
    let ids: HashSet<_> = bodies.iter().map(|b| b["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_change_that_is_refused_is_not_told() {
    let bank = Bank::open().await;
    let path = bank.charge("tok_visa", "a").await;
    bank.post(&format!("{path}/refunds"), "b", json!({ "amount_minor": 1 })).await;
    assert_eq!(bank.count("select count(*) from webhooks").await, 1);
    assert_eq!(bank.count("select count(*) from answers").await, 1);
}

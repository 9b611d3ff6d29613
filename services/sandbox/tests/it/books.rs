//! The lists: by time and reference, page by page; and what is purged.

use serde_json::{Value, json};

use crate::bank::{Bank, charge};

async fn pages(bank: &Bank, path: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let (status, page) = bank.get(&format!("{path}{after}")).await;
        assert_eq!(status, 200, "{page}");
        found.extend(page["data"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return found };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn charges_of_a_window_are_listed_page_by_page() {
    let bank = Bank::open().await;
    for number in 0..5 {
        let body = charge("tok_visa", &format!("ref-{number}"));
        bank.post("/v1/charges", &format!("key-{number}"), body).await;
    }
    sqlx::query("update charges set created_at = to_timestamp(1000) where reference = 'ref-0'")
        .execute(&bank.database.pool)
        .await
        .unwrap();
    let references = |found: Vec<Value>| -> Vec<String> {
        found.iter().map(|c| c["reference"].as_str().unwrap().to_owned()).collect()
    };
    let young = pages(&bank, "/v1/charges?created_gte=1001&limit=2").await;
    assert_eq!(references(young), ["ref-4", "ref-3", "ref-2", "ref-1"]);
    let old = pages(&bank, "/v1/charges?created_gte=1000&created_lt=1001&limit=2").await;
    assert_eq!(references(old), ["ref-0"]);
    let none = pages(&bank, "/v1/charges?created_lt=1000&limit=2").await;
    assert!(none.is_empty());
    let (status, _) = bank.get("/v1/charges?created_gte=99999999999999999").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn refunds_are_listed_with_their_charges() {
    let bank = Bank::open().await;
    let path = bank.charge("tok_visa", "a").await;
    bank.post(&format!("{path}/capture"), "b", json!({})).await;
    for (key, reference) in [("c", "one"), ("d", "two")] {
        let body = json!({ "amount_minor": 300, "reference": reference });
        let (status, answer) = bank.post(&format!("{path}/refunds"), key, body).await;
        assert_eq!(status, 200, "{answer}");
    }
    let refunds = pages(&bank, "/v1/refunds?created_gte=0&limit=1").await;
    assert_eq!(refunds.len(), 2);
    for refund in &refunds {
        assert_eq!(refund["amount_minor"], 300);
        assert_eq!(refund["charge"]["refunded_minor"], 600);
        assert_eq!(format!("/v1/charges/{}", refund["charge"]["id"].as_str().unwrap()), path);
    }
    let one = pages(&bank, "/v1/refunds?reference=one&limit=1").await;
    assert_eq!((one.len(), &one[0]["reference"]), (1, &json!("one")));
    // One that was refused is none.
    let too_much = json!({ "amount_minor": 401, "reference": "three" });
    bank.post(&format!("{path}/refunds"), "e", too_much).await;
    assert_eq!(bank.count("select count(*) from refunds").await, 2);
}

#[tokio::test]
async fn old_answers_and_finished_webhooks_are_purged_and_books_are_not() {
    let bank = Bank::with(&["--purge-every-seconds=1"]).await;
    bank.charge("tok_visa", "old").await;
    bank.charge("tok_visa", "young").await;
    bank.door.bodies(2).await;
    testkit::eventually("both are delivered", async || {
        let open = bank.count("select count(*) from webhooks where due_at is not null").await;
        (open == 0).then_some(())
    })
    .await;
    for statement in [
        "update answers set created_at = now() - interval '49 hours' where key = 'old'",
        "update charges set created_at = now() - interval '99 days'",
        "update webhooks set created_at = now() - interval '8 days'",
        "update webhooks set due_at = now() + interval '1 hour'
         where id = (select min(id::text)::uuid from webhooks)",
    ] {
        sqlx::query(statement).execute(&bank.database.pool).await.unwrap();
    }
    testkit::eventually("what is old is gone", async || {
        let answers = bank.count("select count(*) from answers").await;
        let webhooks = bank.count("select count(*) from webhooks").await;
        ((answers, webhooks) == (1, 1)).then_some(())
    })
    .await;
    assert_eq!(bank.count("select count(*) from answers where key = 'young'").await, 1);
    assert_eq!(bank.count("select count(*) from webhooks where due_at is not null").await, 1);
    assert_eq!(bank.count("select count(*) from charges").await, 2);
}

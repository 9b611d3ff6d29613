//! What the provider tells, in any order, late, twice, or not from the provider.

use serde_json::json;
use testkit::reason;
use tonic::Code;
use uuid::Uuid;

use crate::bank::{from_provider, signed};
use crate::door::Letter;
use crate::road::Traffic;
use crate::world::{Options, Order, WEBHOOK_SECRET, World};

/// What the provider says about a payment that is pending here.
async fn pending_with_letter(world: &World, order: &Order) -> Letter {
    world.road.set(Traffic::LosesAnswers);
    world.authorize(order).await.expect_err("no answer");
    world.road.set(Traffic::Flows);
    testkit::eventually("the webhook is there", async || world.door.letter("charge.authorized"))
        .await
}

async fn outcomes(world: &World) -> Vec<String> {
    let outcomes = "select coalesce(outcome, 'open') from webhook_events order by received_at";
    sqlx::query_scalar(outcomes).fetch_all(&world.database.pool).await.unwrap()
}

#[tokio::test]
async fn a_duplicate_changes_nothing() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let letter = pending_with_letter(&world, &order).await;
    let (a, b) = tokio::join!(world.door.hand_in(&letter), world.door.hand_in(&letter));
    a.unwrap();
    b.unwrap();
    world.door.hand_in(&letter).await.unwrap();
    assert_eq!(world.state(&order).await, "authorized");
    assert_eq!(world.facts().await, ["authorized"]);
    assert_eq!(outcomes(&world).await, ["applied"]);
}

#[tokio::test]
async fn webhooks_that_come_twice_by_themselves_change_things_once() {
    let options = Options { webhooks: true, webhook_duplicates: 2, ..Options::default() };
    let world = World::with(options).await;
    let order = Order::by("tok_visa");
    world.captured(&order).await;
    world.reverse(&order).await.unwrap();
    testkit::eventually("nine webhooks came", async || {
        (world.door.letters().len() >= 9).then_some(())
    })
    .await;
    testkit::eventually("three events are handled", async || {
        (outcomes(&world).await == ["applied"; 3]).then_some(())
    })
    .await;
    assert_eq!(world.facts().await, ["authorized", "captured", "refunded"]);
    assert_eq!(world.state(&order).await, "refunded");
}

#[tokio::test]
async fn webhooks_out_of_order_lead_to_the_same_state() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let authorized = pending_with_letter(&world, &order).await;
    let mut captured = authorized.json();
    captured["id"] = json!("evt_later");
    captured["type"] = json!("charge.captured");
    captured["data"]["state"] = json!("captured");
    world.door.hand_in(&from_provider(&captured)).await.unwrap();
    assert_eq!(world.state(&order).await, "captured");
    world.door.hand_in(&authorized).await.unwrap();
    assert_eq!(world.state(&order).await, "captured");
    assert_eq!(world.facts().await, ["authorized", "captured"]);
    assert_eq!(world.balance("sales").await, -1_000);
}

#[tokio::test]
async fn a_decline_may_be_told_by_webhook_alone() {
    let world = World::start().await;
    let order = Order::by("tok_requires_action");
    world.road.set(Traffic::LosesAnswers);
    world.authorize(&order).await.expect_err("no answer");
    let letter =
        testkit::eventually("the webhook is there", async || world.door.letter("charge.declined"))
            .await;
    world.door.hand_in(&letter).await.unwrap();
    let refused = world.authorize(&order).await.expect_err("declined");
    assert_eq!(reason(&refused), "PAYMENT_ACTION_REQUIRED");
    assert_eq!(world.facts().await, ["failed"]);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_settled_by_its_webhook() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.captured(&order).await;
    world.road.set(Traffic::LosesAnswers);
    world.reverse(&order).await.expect_err("no answer");
    world.road.set(Traffic::Flows);
    let letter =
        testkit::eventually("the webhook is there", async || world.door.letter("charge.refunded"))
            .await;
    world.door.hand_in(&letter).await.unwrap();
    assert_eq!(world.state(&order).await, "refunded");
    assert_eq!(world.charges().await, [("refunded".to_owned(), 1_000)]);
}

#[tokio::test]
async fn what_the_provider_has_not_signed_lately_is_refused() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let letter = pending_with_letter(&world, &order).await;
    let mut changed = letter.clone();
    changed.body.push(b' ');
    let refusals = [
        Letter { signature: String::new(), ..letter.clone() },
        Letter { signature: "t=1,v1=00".to_owned(), ..letter.clone() },
        changed,
        signed(&letter.body, "another secret", 0),
        signed(&letter.body, WEBHOOK_SECRET, 301),
        signed(&letter.body, WEBHOOK_SECRET, -330),
    ];
    for letter in refusals {
        let refused = world.door.hand_in(&letter).await.expect_err("refused");
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert_eq!(reason(&refused), "WEBHOOK_SIGNATURE_INVALID");
    }
    assert_eq!(world.state(&order).await, "pending");
    assert_eq!(world.count("select count(*) from webhook_events").await, 0);
    world.door.hand_in(&signed(&letter.body, WEBHOOK_SECRET, 290)).await.unwrap();
    assert_eq!(world.state(&order).await, "authorized");
}

#[tokio::test]
async fn another_amount_or_currency_is_stored_and_not_applied() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let event = pending_with_letter(&world, &order).await.json();
    for (field, value) in
        [("amount_minor", json!(999)), ("currency", json!("USD")), ("currency", json!("XXX"))]
    {
        let mut other = event.clone();
        other["id"] = json!(format!("evt_{value}"));
        other["data"][field] = value;
        world.door.hand_in(&from_provider(&other)).await.expect("taken, not applied");
        assert_eq!(world.state(&order).await, "pending");
    }
    assert_eq!(outcomes(&world).await, ["contradiction"; 3]);
    assert!(world.facts().await.is_empty());
}

#[tokio::test]
async fn news_about_others_are_stored_and_accepted() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let event = pending_with_letter(&world, &order).await.json();
    for reference in [Uuid::now_v7().to_string(), "not ours".to_owned()] {
        let mut other = event.clone();
        other["id"] = json!(format!("evt_{reference}"));
        other["data"]["reference"] = json!(reference);
        world.door.hand_in(&from_provider(&other)).await.unwrap();
    }
    let payout = json!({ "id": "evt_payout", "type": "payout.paid", "created": 1, "data": {} });
    world.door.hand_in(&from_provider(&payout)).await.unwrap();
    assert_eq!(outcomes(&world).await, ["payment_unknown", "payment_unknown", "ignored"]);
}

#[tokio::test]
async fn what_cannot_be_read_and_unknown_providers_are_refused() {
    let world = World::start().await;
    let bodies: [&[u8]; 3] = [b"", b"{", br#"{"id":"e","type":"charge.authorized","data":{}}"#];
    for body in bodies {
        let letter = signed(body, WEBHOOK_SECRET, 0);
        let refused = world.door.hand_in(&letter).await.expect_err("malformed");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(reason(&refused), "WEBHOOK_MALFORMED");
    }
    let letter = signed(b"{}", WEBHOOK_SECRET, 0);
    let refused = world.door.hand_in_for("elsewhere", &letter).await.expect_err("unknown");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "PROVIDER_UNKNOWN"));
}

#[tokio::test]
async fn a_webhook_that_could_not_be_handled_is_handled_when_it_comes_again() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let letter = pending_with_letter(&world, &order).await;
    // Voided here, set aside there: handling it needs the provider.
    sqlx::query("update payments set state = 'voided', token = null, version = version + 1")
        .execute(&world.database.pool)
        .await
        .unwrap();
    world.road.set(Traffic::Blocked);
    let failed = world.door.hand_in(&letter).await.expect_err("the provider is away");
    assert_eq!(reason(&failed), "PROVIDER_UNAVAILABLE");
    world.road.set(Traffic::Flows);
    world.door.hand_in(&letter).await.unwrap();
    assert_eq!(world.charges().await, [("voided".to_owned(), 0)]);
    assert_eq!(outcomes(&world).await, ["applied"]);
}

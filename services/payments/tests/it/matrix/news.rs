//! Webhooks: early, late, twice, in disorder, wrong, or not from the provider.

use payments::config::ProviderKind;
use serde_json::{Value, json};
use testkit::reason;
use uuid::Uuid;

use super::{at_every_provider, world_of};
use crate::bank::{from_provider, signed};
use crate::door::Letter;
use crate::road::Traffic;
use crate::world::{Order, WEBHOOK_SECRET, World};

at_every_provider! {
    a_webhook_before_the_answer
    a_duplicate_after_another
    duplicates_at_the_same_time
    webhooks_out_of_order
    a_webhook_late_after_the_void
    a_charge_made_after_the_void
    a_capture_told_late_after_the_refund
    another_amount
    another_currency
    an_unknown_payment
    forged_expired_and_early_signatures
    a_replayed_webhook
    a_webhook_that_is_stored_and_not_handled
}

/// Set aside at the provider, and nobody here has been told.
async fn pending(world: &World) -> Order {
    let order = world.order();
    world.road.set(Traffic::LosesAnswers);
    world.authorize(&order).await.expect_err("no answer");
    world.road.set(Traffic::Flows);
    order
}

async fn event_about(world: &World, order: &Order) -> Value {
    world.bank.event(world.payment_id(order).await).await
}

async fn a_webhook_before_the_answer(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.road.set(Traffic::HoldsAnswers);
    let (answer, ()) = tokio::join!(world.authorize(&order), async {
        world.bank_has("authorized").await;
        world.road.set(Traffic::Flows);
        world.hand_in(&world.letter_about(&order).await).await.unwrap();
        assert_eq!(world.state(&order).await, "authorized");
        world.road.release();
    });
    answer.unwrap();
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

async fn a_duplicate_after_another(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let letter = world.letter_about(&order).await;
    for _ in 0..3 {
        world.hand_in(&letter).await.unwrap();
    }
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

async fn duplicates_at_the_same_time(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    world.bank.capture_by_hand(&world.bank.charges().await[0].id).await;
    let letter = world.letter_about(&order).await;
    let hand_in = || world.hand_in(&letter);
    let (a, b, c, d) = tokio::join!(hand_in(), hand_in(), hand_in(), hand_in());
    for handled in [a, b, c, d] {
        handled.unwrap();
    }
    world.ends_as(&order, "captured", "captured", &["authorized", "captured"]).await;
}

async fn webhooks_out_of_order(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let first = world.letter_about(&order).await;
    world.bank.capture_by_hand(&world.bank.charges().await[0].id).await;
    let second = world.letter_about(&order).await;
    for letter in [&second, &first] {
        world.hand_in(letter).await.unwrap();
        assert_eq!(world.state(&order).await, "captured");
    }
    world.ends_as(&order, "captured", "captured", &["authorized", "captured"]).await;
}

async fn a_webhook_late_after_the_void(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.authorize(&order).await.unwrap();
    let late = world.letter_about(&order).await;
    world.reverse(&order).await.unwrap();
    world.hand_in(&late).await.unwrap();
    world.hand_in(&world.letter_about(&order).await).await.unwrap();
    world.ends_as(&order, "voided", "voided", &["authorized"]).await;
}

async fn a_charge_made_after_the_void(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.road.set(Traffic::HoldsCharges);
    let (answer, ()) = tokio::join!(world.authorize(&order), async {
        testkit::eventually("the payment was begun", async || {
            (world.count("select count(*) from payments").await == 1).then_some(())
        })
        .await;
        world.reverse(&order).await.unwrap();
        world.road.set(Traffic::Flows);
    });
    assert_eq!(reason(&answer.expect_err("closed")), "PAYMENT_CLOSED");
    world.ends_as(&order, "voided", "voided", &[]).await;
}

/// Stock was gone after the capture: the saga reverses, and only then the provider
/// tells of the capture.
async fn a_capture_told_late_after_the_refund(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.captured(&order).await;
    let late = world.letter_about(&order).await;
    world.reverse(&order).await.unwrap();
    world.hand_in(&late).await.unwrap();
    world.hand_in(&world.letter_about(&order).await).await.unwrap();
    world.ends_as(&order, "refunded", "refunded", &["authorized", "captured", "refunded"]).await;
}

/// The sandbox's and Stripe's names of a field.
fn field(world: &World, sandbox: &'static str, stripe: &'static str) -> String {
    if world.bank.name() == "sandbox" {
        format!("/data/{sandbox}")
    } else {
        format!("/data/object/{stripe}")
    }
}

async fn told_wrongly(world: &World, order: &Order, field: &str, value: Value) {
    let mut event = event_about(world, order).await;
    *event.pointer_mut(field).expect("the field") = value;
    world.hand_in(&from_provider(&event)).await.expect("taken, not applied");
    assert_eq!(world.state(order).await, "pending");
    assert_eq!(outcome(world).await, "contradiction");
    world.hand_in(&world.letter_about(order).await).await.unwrap();
    world.ends_as(order, "authorized", "authorized", &["authorized"]).await;
}

async fn outcome(world: &World) -> String {
    sqlx::query_scalar("select outcome from webhook_events")
        .fetch_one(&world.database.pool)
        .await
        .unwrap()
}

async fn another_amount(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let field = field(&world, "amount_minor", "amount");
    told_wrongly(&world, &order, &field, json!(999)).await;
}

async fn another_currency(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let usd = if world.bank.name() == "sandbox" { "USD" } else { "usd" };
    told_wrongly(&world, &order, &field(&world, "currency", "currency"), json!(usd)).await;
}

async fn an_unknown_payment(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let mut event = event_about(&world, &order).await;
    let field = field(&world, "reference", "metadata/payment_id");
    *event.pointer_mut(&field).expect("the field") = json!(Uuid::now_v7());
    world.hand_in(&from_provider(&event)).await.expect("taken");
    assert_eq!(outcome(&world).await, "payment_unknown");
    world.hand_in(&world.letter_about(&order).await).await.unwrap();
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

async fn forged_expired_and_early_signatures(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let letter = world.letter_about(&order).await;
    let mut changed = letter.clone();
    changed.body.push(b' ');
    for letter in [
        Letter { signature: String::new(), ..letter.clone() },
        changed,
        signed(&letter.body, "another secret", 0),
        signed(&letter.body, WEBHOOK_SECRET, 301),
        signed(&letter.body, WEBHOOK_SECRET, -330),
    ] {
        let refused = world.hand_in(&letter).await.expect_err("refused");
        assert_eq!(reason(&refused), "WEBHOOK_SIGNATURE_INVALID");
    }
    assert_eq!(world.count("select count(*) from webhook_events").await, 0);
    assert_eq!(world.state(&order).await, "pending");
    world.hand_in(&letter).await.unwrap();
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

/// Somebody who listened sends what was true once, within the signature's time and
/// after it.
async fn a_replayed_webhook(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let letter = world.letter_about(&order).await;
    world.hand_in(&letter).await.unwrap();
    world.capture(&order).await.unwrap();
    world.reverse(&order).await.unwrap();
    world.hand_in(&letter).await.expect("taken, and known");
    // Also when it is no longer remembered.
    sqlx::query("delete from webhook_events").execute(&world.database.pool).await.unwrap();
    world.hand_in(&letter).await.expect("taken, and old news");
    let old = signed(&letter.body, WEBHOOK_SECRET, 301);
    assert_eq!(reason(&world.hand_in(&old).await.unwrap_err()), "WEBHOOK_SIGNATURE_INVALID");
    world.ends_as(&order, "refunded", "refunded", &["authorized", "captured", "refunded"]).await;
}

/// The process died between storing and handling, and the provider does not send it
/// again.
async fn a_webhook_that_is_stored_and_not_handled(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = pending(&world).await;
    let event = event_about(&world, &order).await;
    sqlx::query(
        "insert into webhook_events (provider, event_id, type, body, check_at)
         values ($1, $2, 'it does not matter', $3, now())",
    )
    .bind(world.bank.name())
    .bind(event["id"].as_str().unwrap())
    .bind(event.to_string().into_bytes())
    .execute(&world.database.pool)
    .await
    .unwrap();
    world.becomes(&order, "authorized").await;
    testkit::eventually("it is handled", async || {
        let handled = "select count(*) from webhook_events where outcome = 'applied'";
        (world.count(handled).await == 1).then_some(())
    })
    .await;
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

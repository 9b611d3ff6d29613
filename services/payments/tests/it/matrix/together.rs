//! Several at once.

use payments::config::ProviderKind;
use testkit::reason;

use super::{at_every_provider, swept_world_of, world_of};
use crate::refund::Manager;
use crate::road::Traffic;
use crate::world::eur;

at_every_provider! {
    a_refunds_webhook_before_its_answer
    capture_and_void
    two_authorizations
    two_captures
    authorization_and_reversal
    a_refund_and_a_reversal
    answer_webhook_and_sweep
}

async fn a_refunds_webhook_before_its_answer(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.captured(&order).await;
    world.road.set(Traffic::HoldsAnswers);
    let (answer, ()) = tokio::join!(world.reverse(&order), async {
        world.bank_has("refunded").await;
        world.road.set(Traffic::Flows);
        world.hand_in(&world.letter_about(&order).await).await.unwrap();
        assert_eq!(world.state(&order).await, "refunded");
        world.road.release();
    });
    answer.unwrap();
    world.ends_as(&order, "refunded", "refunded", &["authorized", "captured", "refunded"]).await;
}

async fn capture_and_void(provider: ProviderKind) {
    let world = world_of(provider).await;
    for _ in 0..5 {
        let order = world.order();
        world.authorize(&order).await.unwrap();
        let (captured, reversed) = tokio::join!(world.capture(&order), world.reverse(&order));
        reversed.unwrap();
        if let Err(refused) = captured {
            assert_eq!(reason(&refused), "PAYMENT_NOT_CAPTURABLE");
        }
        let state = world.state(&order).await;
        assert!(["voided", "refunded"].contains(&state.as_str()), "{state}");
        world.money_agrees().await;
    }
    assert_eq!(world.balance("provider_receivable").await, 0);
}

async fn two_authorizations(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    let (a, b) = tokio::join!(world.authorize(&order), world.authorize(&order));
    assert_eq!(a.unwrap().payment_id, b.unwrap().payment_id);
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

async fn two_captures(provider: ProviderKind) {
    let world = world_of(provider).await;
    let order = world.order();
    world.authorize(&order).await.unwrap();
    let (a, b) = tokio::join!(world.capture(&order), world.capture(&order));
    a.unwrap();
    b.unwrap();
    world.ends_as(&order, "captured", "captured", &["authorized", "captured"]).await;
}

async fn authorization_and_reversal(provider: ProviderKind) {
    let world = world_of(provider).await;
    for _ in 0..5 {
        let order = world.order();
        let (authorized, reversed) = tokio::join!(world.authorize(&order), world.reverse(&order));
        reversed.unwrap();
        if let Err(refused) = authorized {
            assert_eq!(reason(&refused), "PAYMENT_CLOSED");
        }
        // Where the reversal came first, there is no payment at all.
        let held = world.bank.charges().await;
        assert!(held.iter().all(|c| c.state == "voided"), "{held:?}");
        world.money_agrees().await;
    }
}

async fn a_refund_and_a_reversal(provider: ProviderKind) {
    let world = world_of(provider).await;
    let manager = Manager::of(&world);
    let order = world.order();
    let payment = world.captured(&order).await;
    let part = manager.refund(&payment, Some(eur(300)), "a");
    let (part, reversed) = tokio::join!(part, world.reverse(&order));
    reversed.unwrap();
    if let Err(refused) = part {
        let why = reason(&refused);
        assert!(["REFUND_TOO_LARGE", "PAYMENT_NOT_REFUNDABLE"].contains(&why.as_str()), "{why}");
    }
    assert_eq!(world.state(&order).await, "refunded");
    assert_eq!(world.charges().await, [("refunded".to_owned(), 1_000)]);
    world.money_agrees().await;
}

/// All three bring the same news, and one of them is first.
async fn answer_webhook_and_sweep(provider: ProviderKind) {
    let world = swept_world_of(provider).await;
    let order = world.order();
    world.road.set(Traffic::HoldsAnswers);
    let (answer, ()) = tokio::join!(world.authorize(&order), async {
        world.bank_has("authorized").await;
        world.road.set(Traffic::Flows);
        let letter = world.letter_about(&order).await;
        world.road.release();
        let (a, b) = tokio::join!(world.hand_in(&letter), world.hand_in(&letter));
        a.unwrap();
        b.unwrap();
    });
    answer.unwrap();
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

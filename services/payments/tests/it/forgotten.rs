//! Days later: the provider has forgotten idempotency keys, and whoever asked again
//! would charge or give back a second time.

use payments::config::ProviderKind;
use testkit::reason;

use crate::refund::Manager;
use crate::road::Traffic;
use crate::world::{Options, Order, World, eur};

const BOTH: [ProviderKind; 2] = [ProviderKind::Sandbox, ProviderKind::Stripe];

async fn world_of(provider: ProviderKind) -> World {
    World::with(Options { provider, ..Options::default() }).await
}

/// Two days pass: everything is older, and the provider knows no key any more.
async fn two_days_pass(world: &World) {
    for statement in [
        "update payments set created_at = created_at - interval '2 days'",
        "update refunds set created_at = created_at - interval '2 days'",
    ] {
        sqlx::query(statement).execute(&world.database.pool).await.unwrap();
    }
    world.bank.forget_keys().await;
}

#[tokio::test]
async fn a_charge_is_not_made_a_second_time() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let order = Order::by(world.bank.good_card());
        world.road.set(Traffic::LosesAnswers);
        world.authorize(&order).await.expect_err("no answer");
        world.road.set(Traffic::Flows);
        two_days_pass(&world).await;
        world.authorize(&order).await.expect("found");
        assert_eq!(world.charges().await, [("authorized".to_owned(), 0)]);
    }
}

#[tokio::test]
async fn a_payment_that_the_provider_never_saw_is_given_up() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let order = Order::by(world.bank.good_card());
        world.road.set(Traffic::Blocked);
        world.authorize(&order).await.expect_err("no answer");
        world.road.set(Traffic::Flows);
        two_days_pass(&world).await;
        let refused = world.authorize(&order).await.expect_err("too late");
        assert_eq!(reason(&refused), "PAYMENT_CLOSED");
        assert_eq!(world.state(&order).await, "voided");
        assert_eq!(world.charges().await, []);
    }
}

#[tokio::test]
async fn a_refund_is_not_made_a_second_time() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let manager = Manager::of(&world);
        let payment = world.captured(&Order::by(world.bank.good_card())).await;
        world.road.set(Traffic::LosesAnswers);
        manager.refund(&payment, Some(eur(400)), "key").await.expect_err("no answer");
        world.road.set(Traffic::Flows);
        two_days_pass(&world).await;
        let part = manager.refund(&payment, Some(eur(400)), "key").await.expect("found");
        assert_eq!(part.refunded, Some(eur(400)));
        assert_eq!(world.charges().await, [("partially_refunded".to_owned(), 400)]);
        assert_eq!(world.balance("refunds").await, 400);
    }
}

#[tokio::test]
async fn a_refund_that_the_provider_never_saw_is_made_after_all() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let manager = Manager::of(&world);
        let payment = world.captured(&Order::by(world.bank.good_card())).await;
        world.road.set(Traffic::Blocked);
        manager.refund(&payment, Some(eur(400)), "key").await.expect_err("no answer");
        world.road.set(Traffic::Flows);
        two_days_pass(&world).await;
        manager.refund(&payment, Some(eur(400)), "key").await.expect("made");
        assert_eq!(world.charges().await, [("partially_refunded".to_owned(), 400)]);
    }
}

/// Another provider is in use now: its ids and keys mean nothing to this one.
#[tokio::test]
async fn a_payment_of_another_provider_is_left_alone() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let (open, taken) = (Order::by("tok_visa"), Order::by("tok_visa"));
    world.authorize(&open).await.unwrap();
    world.captured(&taken).await;
    let payment = world.captured(&Order::by("tok_visa")).await;
    let elsewhere = "update payments set provider = 'elsewhere'";
    sqlx::query(elsewhere).execute(&world.database.pool).await.unwrap();
    let answers = [
        world.capture(&open).await.map(drop),
        world.reverse(&open).await.map(drop),
        world.reverse(&taken).await.map(drop),
        manager.refund(&payment, None, "key").await.map(drop),
    ];
    for answer in answers {
        assert_eq!(reason(&answer.expect_err("left alone")), "PROVIDER_UNAVAILABLE");
    }
    let states = ["authorized", "captured", "captured"].map(|s| (s.to_owned(), 0));
    assert_eq!(world.charges().await, states);
}

/// Money set aside that is not what was asked for: nobody will take it, so a reversal
/// frees it instead of failing for ever.
#[tokio::test]
async fn a_reversal_frees_money_of_a_wrong_amount() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let order = Order::by(world.bank.good_card());
        world.road.set(Traffic::LosesAnswers);
        world.authorize(&order).await.expect_err("no answer");
        world.road.set(Traffic::Flows);
        let dearer = "update payments set amount_minor = 1001";
        sqlx::query(dearer).execute(&world.database.pool).await.unwrap();
        world.reverse(&order).await.expect("reversed");
        assert_eq!(world.state(&order).await, "voided");
        assert_eq!(world.charges().await, [("voided".to_owned(), 0)]);
    }
}

#[tokio::test]
async fn a_stray_charge_that_somebody_else_freed_is_no_contradiction() {
    for provider in BOTH {
        let world = world_of(provider).await;
        let order = Order::by(world.bank.good_card());
        world.road.set(Traffic::LosesAnswers);
        world.authorize(&order).await.expect_err("no answer");
        let late = world.bank.event(world.payment_id(&order).await).await;
        world.road.set(Traffic::Flows);
        world.reverse(&order).await.expect("reversed");
        // Void again, under a key that is forgotten: refused, and found free.
        world.bank.forget_keys().await;
        let letter = crate::bank::from_provider(&late);
        world.door.hand_in_for(world.bank.name(), &letter).await.expect("taken");
        let outcome = "select count(*) from webhook_events where outcome = 'applied'";
        assert_eq!(world.count(outcome).await, 1);
        world.money_agrees().await;
    }
}

//! Taking the money: once, and only what is set aside.

use testkit::reason;
use tonic::Code;

use crate::road::Traffic;
use crate::world::{Order, World};

#[tokio::test]
async fn capturing_again_and_at_the_same_time_takes_the_money_once() {
    let world = World::start().await;
    let order = Order::by("tok_mastercard");
    world.authorize(&order).await.unwrap();
    let (a, b) = tokio::join!(world.capture(&order), world.capture(&order));
    a.unwrap();
    b.unwrap();
    world.capture(&order).await.unwrap();
    assert_eq!(world.facts().await, ["authorized", "captured"]);
    assert_eq!(world.balance("sales").await, -1_000);
    assert_eq!(world.charges().await, [("captured".to_owned(), 0)]);
}

#[tokio::test]
async fn a_capture_whose_answer_was_lost_is_booked_once() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.authorize(&order).await.unwrap();
    world.road.set(Traffic::LosesAnswers);
    let failed = world.capture(&order).await.expect_err("no answer");
    assert_eq!(reason(&failed), "PROVIDER_UNAVAILABLE");
    assert_eq!(world.balance("sales").await, 0);
    world.road.set(Traffic::Flows);
    world.capture(&order).await.unwrap();
    assert_eq!(world.balance("sales").await, -1_000);
    assert_eq!(world.facts().await, ["authorized", "captured"]);
}

#[tokio::test]
async fn only_money_that_is_set_aside_can_be_taken() {
    let world = World::start().await;
    let nothing = world.capture(&Order::by("tok_visa")).await.expect_err("no payment");
    assert_eq!((nothing.code(), reason(&nothing).as_str()), (Code::NotFound, "PAYMENT_NOT_FOUND"));

    let (failed, voided) = (Order::by("tok_declined"), Order::by("tok_visa"));
    world.authorize(&failed).await.expect_err("declined");
    world.authorize(&voided).await.unwrap();
    world.reverse(&voided).await.unwrap();
    for order in [failed, voided] {
        let refused = world.capture(&order).await.expect_err("refused");
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(reason(&refused), "PAYMENT_NOT_CAPTURABLE");
    }
    assert_eq!(world.balance("sales").await, 0);
}

#[tokio::test]
async fn a_capture_may_be_repeated_after_money_was_given_back() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.captured(&order).await;
    world.reverse(&order).await.unwrap();
    world.capture(&order).await.expect("it was captured once");
    assert_eq!(world.state(&order).await, "refunded");
}

//! Giving an order's money back, wherever it is.

use proto::payments::v1::PaymentState;
use testkit::reason;
use tonic::Code;

use crate::road::Traffic;
use crate::world::{Options, Order, World};

#[tokio::test]
async fn an_order_reversed_before_it_is_paid_is_closed() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    assert_eq!(world.reverse(&order).await.unwrap(), None);
    assert_eq!(world.reverse(&order).await.unwrap(), None);
    let refused = world.authorize(&order).await.expect_err("closed");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "PAYMENT_CLOSED")
    );
    assert!(world.charges().await.is_empty());
}

#[tokio::test]
async fn money_that_is_set_aside_is_freed() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.authorize(&order).await.unwrap();
    for _ in 0..2 {
        let payment = world.reverse(&order).await.unwrap().expect("there was one");
        assert_eq!(payment.state(), PaymentState::Voided);
    }
    assert_eq!(world.charges().await, [("voided".to_owned(), 0)]);
    assert_eq!(world.balance("sales").await, 0);
    let refused = world.authorize(&order).await.expect_err("closed");
    assert_eq!(reason(&refused), "PAYMENT_CLOSED");
}

#[tokio::test]
async fn money_that_was_taken_is_given_back() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.captured(&order).await;
    let (a, b) = tokio::join!(world.reverse(&order), world.reverse(&order));
    for payment in [a, b, world.reverse(&order).await] {
        assert_eq!(payment.unwrap().expect("there was one").state(), PaymentState::Refunded);
    }
    assert_eq!(world.charges().await, [("refunded".to_owned(), 1_000)]);
    assert_eq!(world.facts().await, ["authorized", "captured", "refunded"]);
    assert_eq!(world.balance("provider_receivable").await, 0);
}

#[tokio::test]
async fn a_refused_payment_needs_no_reversal() {
    let world = World::start().await;
    let order = Order::by("tok_declined");
    world.authorize(&order).await.expect_err("declined");
    let payment = world.reverse(&order).await.unwrap().expect("there was one");
    assert_eq!(payment.state(), PaymentState::Failed);
    assert_eq!(payment.failure_reason, "PAYMENT_DECLINED");
}

#[tokio::test]
async fn a_pending_payment_that_the_provider_never_saw_is_voided() {
    let world = World::start().await;
    let order = Order::by("tok_unavailable");
    world.authorize(&order).await.expect_err("no answer");
    let payment = world.reverse(&order).await.unwrap().expect("there was one");
    assert_eq!(payment.state(), PaymentState::Voided);
    assert!(world.charges().await.is_empty());
    let refused = world.authorize(&order).await.expect_err("closed");
    assert_eq!(reason(&refused), "PAYMENT_CLOSED");
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_freed() {
    let world = World::with(Options { patience_millis: 1_500, ..Options::default() }).await;
    let order = Order::by("tok_timeout");
    world.authorize(&order).await.expect_err("no answer in time");
    let payment = world.reverse(&order).await.unwrap().expect("there was one");
    assert_eq!(payment.state(), PaymentState::Voided);
    assert_eq!(world.charges().await, [("voided".to_owned(), 0)]);
}

#[tokio::test]
async fn a_capture_whose_answer_was_lost_is_given_back_and_booked() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.authorize(&order).await.unwrap();
    world.road.set(Traffic::LosesAnswers);
    world.capture(&order).await.expect_err("no answer");
    world.road.set(Traffic::Flows);
    let payment = world.reverse(&order).await.unwrap().expect("there was one");
    assert_eq!(payment.state(), PaymentState::Refunded);
    assert_eq!(world.facts().await, ["authorized", "captured", "refunded"]);
    assert_eq!(world.balance("sales").await, -1_000);
    assert_eq!(world.balance("refunds").await, 1_000);
    assert_eq!(world.balance("provider_receivable").await, 0);
}

#[tokio::test]
async fn a_reversal_whose_answer_was_lost_goes_on() {
    let world = World::start().await;
    let (set_aside, taken) = (Order::by("tok_visa"), Order::by("tok_visa"));
    world.authorize(&set_aside).await.unwrap();
    world.captured(&taken).await;
    world.road.set(Traffic::LosesAnswers);
    for order in [&set_aside, &taken] {
        let failed = world.reverse(order).await.expect_err("no answer");
        assert_eq!(reason(&failed), "PROVIDER_UNAVAILABLE");
    }
    world.road.set(Traffic::Flows);
    world.reverse(&set_aside).await.unwrap();
    world.reverse(&taken).await.unwrap();
    assert_eq!(world.state(&set_aside).await, "voided");
    assert_eq!(world.state(&taken).await, "refunded");
    assert_eq!(world.charges().await, [("voided".to_owned(), 0), ("refunded".to_owned(), 1_000)]);
    assert_eq!(world.count("select count(*) from refunds").await, 1);
}

/// An authorization is on its way while the order is reversed: it was sent before
/// the reversal looked, and arrives after.
async fn reversed_while_on_its_way(world: &World, order: &Order) -> Option<tonic::Status> {
    world.road.set(Traffic::HoldsCharges);
    let authorizing = world.authorize(order);
    let reversing = async {
        testkit::eventually("the payment was begun", async || {
            let begun = world.count("select count(*) from payments").await;
            (begun == 1).then_some(())
        })
        .await;
        let payment = world.reverse(order).await.unwrap().expect("there was one");
        assert_eq!(payment.state(), PaymentState::Voided);
        world.road.set(Traffic::Flows);
    };
    tokio::join!(authorizing, reversing).0.err()
}

#[tokio::test]
async fn a_charge_that_arrives_after_the_reversal_is_freed_by_its_answer() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let refused = reversed_while_on_its_way(&world, &order).await.expect("refused");
    assert_eq!(reason(&refused), "PAYMENT_CLOSED");
    assert_eq!(world.charges().await, [("voided".to_owned(), 0)]);
    assert_eq!(world.state(&order).await, "voided");
    assert!(world.facts().await.is_empty());
}

#[tokio::test]
async fn a_charge_that_arrives_after_the_reversal_is_freed_by_its_webhook() {
    let options = Options { webhooks: true, patience_millis: 1_500, ..Options::default() };
    let world = World::with(options).await;
    // Nobody waits for this answer any more when it comes.
    let order = Order::by("tok_timeout");
    reversed_while_on_its_way(&world, &order).await.expect("refused");
    testkit::eventually("the charge is voided", async || {
        (world.charges().await == [("voided".to_owned(), 0)]).then_some(())
    })
    .await;
    assert_eq!(world.state(&order).await, "voided");
}

#[tokio::test]
async fn a_charge_that_arrives_after_the_reversal_is_freed_by_the_sweep() {
    let options = Options { patience_millis: 1_500, sweep_after_millis: 300, ..Options::default() };
    let world = World::with(options).await;
    let order = Order::by("tok_timeout");
    reversed_while_on_its_way(&world, &order).await.expect("refused");
    testkit::eventually("the charge is voided", async || {
        (world.charges().await == [("voided".to_owned(), 0)]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn capture_and_reversal_at_the_same_time_leave_no_money_behind() {
    let world = World::start().await;
    for _ in 0..5 {
        let order = Order::by("tok_visa");
        world.authorize(&order).await.unwrap();
        let (captured, reversed) = tokio::join!(world.capture(&order), world.reverse(&order));
        let state = reversed.unwrap().expect("there was one").state();
        assert!(matches!(state, PaymentState::Voided | PaymentState::Refunded), "{state:?}");
        if let Err(refused) = captured {
            assert_eq!(reason(&refused), "PAYMENT_NOT_CAPTURABLE");
        }
    }
    let charges = world.charges().await;
    assert!(charges.iter().all(|(state, _)| state == "voided" || state == "refunded"));
    assert_eq!(world.balance("provider_receivable").await, 0);
}

#[tokio::test]
async fn authorization_and_reversal_at_the_same_time_leave_no_money_behind() {
    let world = World::start().await;
    for _ in 0..5 {
        let order = Order::by("tok_visa");
        let (authorized, reversed) = tokio::join!(world.authorize(&order), world.reverse(&order));
        reversed.unwrap();
        if let Err(refused) = authorized {
            assert_eq!(reason(&refused), "PAYMENT_CLOSED");
        }
    }
    assert!(world.charges().await.iter().all(|(state, _)| state == "voided"));
}

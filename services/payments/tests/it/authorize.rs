//! Setting money aside: once, whatever happens on the way.

use testkit::reason;
use tonic::Code;
use uuid::Uuid;

use crate::road::Traffic;
use crate::world::{Options, Order, World, eur};

#[tokio::test]
async fn money_is_set_aside_then_taken_and_booked() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let payment = world.authorize(&order).await.unwrap();
    assert_eq!(payment.state(), proto::payments::v1::PaymentState::Authorized);
    assert_eq!(payment.amount, Some(eur(1_000)));
    assert_eq!(payment.provider, "sandbox");
    assert_eq!(world.balance("sales").await, 0);

    let captured = world.capture(&order).await.unwrap();
    assert_eq!(captured.state(), proto::payments::v1::PaymentState::Captured);
    assert_eq!(captured.payment_id, payment.payment_id);
    assert_eq!(world.balance("provider_receivable").await, 1_000);
    assert_eq!(world.balance("sales").await, -1_000);
    assert_eq!(world.facts().await, ["authorized", "captured"]);
    assert_eq!(world.charges().await, [("captured".to_owned(), 0)]);
    assert_eq!(world.count("select count(*) from payments where token is not null").await, 0);
}

#[tokio::test]
async fn facts_reach_the_broker() {
    let world = World::start().await;
    world.captured(&Order::by("tok_visa")).await;
    testkit::eventually("every fact is sent", async || {
        let waiting = world.count("select count(*) from outbox where sent_at is null").await;
        (waiting == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_refused_payment_fails_for_good() {
    let world = World::start().await;
    let cases = [
        ("tok_declined", "PAYMENT_DECLINED"),
        ("tok_insufficient_funds", "PAYMENT_DECLINED"),
        ("tok_expired_card", "PAYMENT_DECLINED"),
        ("tok_requires_action", "PAYMENT_ACTION_REQUIRED"),
        ("tok_nobody_knows", "PAYMENT_DECLINED"),
    ];
    for (number, (token, why)) in cases.into_iter().enumerate() {
        let order = Order::by(token);
        for other in [token, "tok_visa"] {
            let again = Order { token: other, ..order.clone() };
            let refused = world.authorize(&again).await.expect_err("refused");
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::FailedPrecondition, why)
            );
        }
        assert_eq!(world.state(&order).await, "failed");
        assert_eq!(world.facts().await.len(), number + 1);
    }
    assert!(world.facts().await.iter().all(|f| f == "failed"));
    assert!(world.charges().await.iter().all(|(state, _)| state == "declined"));
}

#[tokio::test]
async fn authorizing_again_and_at_the_same_time_charges_once() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let (a, b, c) =
        tokio::join!(world.authorize(&order), world.authorize(&order), world.authorize(&order));
    let again = world.authorize(&order).await.unwrap();
    for payment in [a, b, c] {
        assert_eq!(payment.unwrap().payment_id, again.payment_id);
    }
    assert_eq!(world.charges().await, [("authorized".to_owned(), 0)]);
    assert_eq!(world.facts().await, ["authorized"]);
}

#[tokio::test]
async fn another_amount_or_customer_for_the_same_order_is_refused() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.authorize(&order).await.unwrap();
    let stranger = Order { user_id: Uuid::now_v7(), ..order.clone() };
    let mut dearer = order.request();
    dearer.amount = Some(eur(1_001));
    for request in [stranger.request(), dearer] {
        let refused = world.checkout.clone().authorize(request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::AlreadyExists);
        assert_eq!(reason(&refused), "PAYMENT_MISMATCH");
    }
    assert_eq!(world.charges().await.len(), 1);
}

#[tokio::test]
async fn nothing_is_not_an_amount() {
    let world = World::start().await;
    for cents in [0, -100] {
        let mut request = Order::by("tok_visa").request();
        request.amount = Some(eur(cents));
        let refused = world.checkout.clone().authorize(request).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(testkit::fields(&refused), ["amount"]);
    }
    assert_eq!(world.count("select count(*) from payments").await, 0);
}

#[tokio::test]
async fn while_the_provider_is_down_the_payment_is_pending_and_then_goes_on() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    world.road.set(Traffic::Blocked);
    let failed = world.authorize(&order).await.expect_err("no answer");
    assert_eq!(
        (failed.code(), reason(&failed).as_str()),
        (Code::Unavailable, "PROVIDER_UNAVAILABLE")
    );
    assert_eq!(world.state(&order).await, "pending");
    world.road.set(Traffic::Flows);
    world.authorize(&order).await.unwrap();
    assert_eq!(world.charges().await.len(), 1);
    assert_eq!(world.facts().await, ["authorized"]);
}

#[tokio::test]
async fn a_provider_that_answers_503_leaves_the_payment_pending() {
    let world = World::start().await;
    let order = Order::by("tok_unavailable");
    let failed = world.authorize(&order).await.expect_err("no answer");
    assert_eq!(reason(&failed), "PROVIDER_UNAVAILABLE");
    assert_eq!(world.state(&order).await, "pending");
    assert!(world.charges().await.is_empty());
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_found_by_authorizing_again() {
    let world = World::with(Options { patience_millis: 1_500, ..Options::default() }).await;
    let order = Order::by("tok_timeout");
    let failed = world.authorize(&order).await.expect_err("no answer in time");
    assert_eq!(reason(&failed), "PROVIDER_UNAVAILABLE");
    assert_eq!(world.state(&order).await, "pending");
    assert_eq!(world.charges().await, [("authorized".to_owned(), 0)]);

    world.authorize(&order).await.unwrap();
    assert_eq!(world.charges().await, [("authorized".to_owned(), 0)]);
    assert_eq!(world.facts().await, ["authorized"]);
}

#[tokio::test]
async fn a_charge_whose_answer_was_lost_is_found_by_the_sweep() {
    let world = World::with(Options { sweep_after_millis: 200, ..Options::default() }).await;
    let order = Order::by("tok_visa");
    world.road.set(Traffic::LosesAnswers);
    world.authorize(&order).await.expect_err("no answer");
    world.becomes(&order, "authorized").await;
    assert_eq!(world.charges().await.len(), 1);
    assert_eq!(world.facts().await, ["authorized"]);
}

#[tokio::test]
async fn a_webhook_may_come_before_the_answer() {
    let world = World::with(Options { webhooks: true, ..Options::default() }).await;
    let order = Order::by("tok_slow");
    let (answer, ()) = tokio::join!(world.authorize(&order), async {
        testkit::eventually("the webhook is there", async || {
            world.door.letter("charge.authorized")
        })
        .await;
        world.becomes(&order, "authorized").await;
    });
    answer.unwrap();
    assert_eq!(world.facts().await, ["authorized"]);
}

#[tokio::test]
async fn a_webhook_may_come_instead_of_the_answer() {
    let options = Options { webhooks: true, patience_millis: 1_500, ..Options::default() };
    let world = World::with(options).await;
    let order = Order::by("tok_timeout");
    world.authorize(&order).await.expect("told by the webhook");
    assert_eq!(world.charges().await.len(), 1);
    assert_eq!(world.facts().await, ["authorized"]);
}

//! Giving money back by hand: in parts, never more than was taken.

use proto::google::r#type::Money;
use proto::payments::v1 as pb;
use proto::payments::v1::PaymentState;
use testkit::{bearer, reason, with_key};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::road::Traffic;
use crate::world::{Options, Order, World, eur};

pub struct Manager<'w> {
    world: &'w World,
    token: String,
}

impl<'w> Manager<'w> {
    pub fn of(world: &'w World) -> Self {
        Self { world, token: world.platform.token(Uuid::now_v7(), &["manager"]) }
    }

    pub async fn refund(
        &self,
        payment: &pb::Payment,
        amount: Option<Money>,
        key: &str,
    ) -> Result<pb::Payment, Status> {
        let message = pb::RefundPaymentRequest {
            payment_id: payment.payment_id.clone(),
            amount,
            reason: "it was broken".to_owned(),
        };
        let request = with_key(bearer(message, &self.token), key);
        Ok(self.world.people.clone().refund_payment(request).await?.into_inner())
    }
}

#[tokio::test]
async fn money_is_given_back_in_parts_until_nothing_is_left() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let payment = world.captured(&Order::by("tok_visa")).await;

    let part = manager.refund(&payment, Some(eur(250)), "a").await.unwrap();
    assert_eq!(part.state(), PaymentState::PartiallyRefunded);
    assert_eq!(part.refunded, Some(eur(250)));
    let too_much = manager.refund(&payment, Some(eur(751)), "b").await.expect_err("too much");
    assert_eq!(
        (too_much.code(), reason(&too_much).as_str()),
        (Code::FailedPrecondition, "REFUND_TOO_LARGE")
    );
    let rest = manager.refund(&payment, None, "c").await.unwrap();
    assert_eq!(rest.state(), PaymentState::Refunded);
    assert_eq!(rest.refunded, Some(eur(1_000)));
    let nothing_left = manager.refund(&payment, None, "d").await.expect_err("nothing left");
    assert_eq!(reason(&nothing_left), "PAYMENT_NOT_REFUNDABLE");

    assert_eq!(world.charges().await, [("refunded".to_owned(), 1_000)]);
    assert_eq!(world.facts().await, ["authorized", "captured", "refunded", "refunded"]);
    assert_eq!(world.balance("refunds").await, 1_000);
    assert_eq!(world.balance("provider_receivable").await, 0);
}

#[tokio::test]
async fn the_same_key_gives_money_back_once() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let payment = world.captured(&Order::by("tok_visa")).await;
    let other = world.captured(&Order::by("tok_visa")).await;
    for _ in 0..2 {
        let part = manager.refund(&payment, Some(eur(100)), "key").await.unwrap();
        assert_eq!(part.refunded, Some(eur(100)));
    }
    for (payment, amount) in
        [(&payment, Some(eur(200))), (&payment, None), (&other, Some(eur(100)))]
    {
        let refused = manager.refund(payment, amount, "key").await.expect_err("another request");
        assert_eq!(refused.code(), Code::AlreadyExists);
        assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_REUSED");
    }
    // A key belongs to its user.
    let colleague = Manager::of(&world);
    let part = colleague.refund(&payment, Some(eur(100)), "key").await.unwrap();
    assert_eq!(part.refunded, Some(eur(200)));
}

#[tokio::test]
async fn refunds_at_the_same_time_never_exceed_what_was_taken() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let payment = world.captured(&Order::by("tok_visa")).await;
    let keys: Vec<String> = (0..8).map(|n| format!("key-{n}")).collect();
    let refund = async |n: usize| manager.refund(&payment, Some(eur(300)), &keys[n]).await;
    let (a, b, c, d, e, f, g, h) = tokio::join!(
        refund(0),
        refund(1),
        refund(2),
        refund(3),
        refund(4),
        refund(5),
        refund(6),
        refund(7)
    );
    let results = [a, b, c, d, e, f, g, h];
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 3);
    for refused in results.iter().filter_map(|r| r.as_ref().err()) {
        assert_eq!(reason(refused), "REFUND_TOO_LARGE");
    }
    assert_eq!(world.charges().await, [("partially_refunded".to_owned(), 900)]);
    assert_eq!(world.balance("refunds").await, 900);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_made_once() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let payment = world.captured(&Order::by("tok_visa")).await;
    world.road.set(Traffic::LosesAnswers);
    let failed = manager.refund(&payment, Some(eur(600)), "a").await.expect_err("no answer");
    assert_eq!(reason(&failed), "PROVIDER_UNAVAILABLE");
    // Its money stays reserved.
    let refused = manager.refund(&payment, Some(eur(600)), "b").await.expect_err("too much");
    assert_eq!(reason(&refused), "REFUND_TOO_LARGE");
    world.road.set(Traffic::Flows);
    let part = manager.refund(&payment, Some(eur(600)), "a").await.unwrap();
    assert_eq!(part.refunded, Some(eur(600)));
    assert_eq!(world.charges().await, [("partially_refunded".to_owned(), 600)]);
}

#[tokio::test]
async fn a_refund_whose_answer_was_lost_is_found_by_the_sweep() {
    let world = World::with(Options { sweep_after_millis: 200, ..Options::default() }).await;
    let manager = Manager::of(&world);
    let order = Order::by("tok_visa");
    let payment = world.captured(&order).await;
    world.road.set(Traffic::LosesAnswers);
    manager.refund(&payment, None, "a").await.expect_err("no answer");
    world.road.set(Traffic::Flows);
    world.becomes(&order, "refunded").await;
    assert_eq!(world.charges().await, [("refunded".to_owned(), 1_000)]);
}

#[tokio::test]
async fn a_reversal_leaves_refunds_under_way_their_part() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let order = Order::by("tok_visa");
    let payment = world.captured(&order).await;
    world.road.set(Traffic::LosesAnswers);
    manager.refund(&payment, Some(eur(400)), "a").await.expect_err("no answer");
    world.road.set(Traffic::Flows);
    let reversed = world.reverse(&order).await.unwrap().expect("there was one");
    assert_eq!(reversed.state(), PaymentState::Refunded);
    assert_eq!(world.charges().await, [("refunded".to_owned(), 1_000)]);
    assert_eq!(world.facts().await, ["authorized", "captured", "refunded", "refunded"]);
}

#[tokio::test]
async fn only_money_that_was_taken_is_given_back() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let payment = world.authorize(&Order::by("tok_visa")).await.unwrap();
    let refused = manager.refund(&payment, None, "a").await.expect_err("only set aside");
    assert_eq!(reason(&refused), "PAYMENT_NOT_REFUNDABLE");
    let nobodys = pb::Payment { payment_id: Uuid::now_v7().to_string(), ..payment };
    let refused = manager.refund(&nobodys, None, "b").await.expect_err("no payment");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "PAYMENT_NOT_FOUND"));
}

#[tokio::test]
async fn an_amount_must_be_positive_and_in_the_payments_currency() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let payment = world.captured(&Order::by("tok_visa")).await;
    let dollars = Money { currency_code: "USD".to_owned(), ..eur(100) };
    for (key, amount) in [("a", eur(0)), ("b", eur(-100)), ("c", dollars)] {
        let refused = manager.refund(&payment, Some(amount), key).await.expect_err("refused");
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(testkit::fields(&refused), ["amount"]);
    }
    assert_eq!(world.balance("refunds").await, 0);
}

#[tokio::test]
async fn a_ledger_transaction_that_does_not_balance_cannot_be_committed() {
    let world = World::start().await;
    let payment = world.captured(&Order::by("tok_visa")).await;
    let mut tx = postgres::begin(&world.database.pool).await.unwrap();
    sqlx::query(
        "insert into ledger_entries (transaction_id, account, debit_minor, currency)
         select id, 'sales', 1, 'EUR' from ledger_transactions where payment_id = $1",
    )
    .bind(payment.payment_id.parse::<Uuid>().unwrap())
    .execute(&mut *tx)
    .await
    .unwrap();
    let refused = tx.commit().await.expect_err("unbalanced");
    let error = refused.as_database_error().expect("from the database");
    assert_eq!(error.constraint(), Some("ledger_entries_balance"));
    let altered = sqlx::query("update ledger_entries set debit_minor = 1")
        .execute(&world.database.pool)
        .await;
    assert!(altered.is_err(), "the ledger is append-only");
}

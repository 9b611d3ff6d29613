//! Every way through a saga, without any outside world.

use super::*;
use crate::domain::{Address, OrderLine};
use types::{Currency, Money};

const ALLOWANCE: Duration = Duration::from_secs(60);
const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn checkout() -> Saga {
    let line = OrderLine {
        product_id: Uuid::now_v7(),
        name: "Kettle".to_owned(),
        quantity: 2,
        unit_price: Money::new(1299, Currency::Eur),
    };
    let address = Address {
        recipient: String::new(),
        street: String::new(),
        city: String::new(),
        postal_code: String::new(),
        country_code: String::new(),
    };
    let order = Order::place(Uuid::now_v7(), vec![line], address, START).expect("a total");
    Saga::checkout(order, PaymentToken("tok".to_owned()), START, ALLOWANCE)
}

/// What goes well.
fn success(action: Action) -> Outcome {
    match action {
        Action::Authorize => Outcome::Paid(Uuid::now_v7()),
        _ => Outcome::Done,
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown("no answer".to_owned())
}

fn refused(reason: &str) -> Outcome {
    Outcome::Refused(reason.to_owned())
}

/// Goes on until it ends, everything going well; answers what it did and told.
fn run(saga: &mut Saga) -> (Vec<Action>, Vec<OrderFact>) {
    let (mut actions, mut facts) = (Vec::new(), Vec::new());
    while saga.progress != Progress::Done {
        let action = saga.action();
        actions.push(action);
        facts.extend(saga.advance(success(action), START, 0.0));
    }
    (actions, facts)
}

/// A checkout that stands before a step.
fn standing_at(step: Step) -> Saga {
    let mut saga = checkout();
    while saga.step != step {
        saga.advance(success(saga.action()), START, 0.0);
    }
    saga
}

#[test]
fn a_checkout_confirms_the_order_before_it_settles() {
    let mut saga = checkout();
    let (actions, facts) = run(&mut saga);
    assert_eq!(actions, [Action::Reserve, Action::Authorize, Action::Confirm, Action::Settle]);
    assert_eq!(facts, [OrderFact::Confirmed]);
    assert_eq!(saga.order.state, OrderState::Confirmed);
    assert_eq!(saga.order.payment_id, saga.payment_id);
    assert!(saga.payment_id.is_some());
}

#[test]
fn a_refused_step_is_undone_too_and_the_order_fails_with_the_public_reason() {
    let cases = [
        (Step::Reserve, "STOCK_INSUFFICIENT", "OUT_OF_STOCK", vec![Action::Release]),
        (Step::Pay, "PAYMENT_DECLINED", "PAYMENT_DECLINED", vec![Action::Reverse, Action::Release]),
        (Step::Pay, "SOMETHING_NEW", "CHECKOUT_REFUSED", vec![Action::Reverse, Action::Release]),
    ];
    for (step, reason, public, undone) in cases {
        let mut saga = standing_at(step);
        assert_eq!(saga.advance(refused(reason), START, 0.0), None);
        assert_eq!(run(&mut saga), (undone, vec![OrderFact::Failed]));
        assert_eq!(saga.order.state, OrderState::Failed);
        assert_eq!(saga.order.failure_reason.as_deref(), Some(public));
    }
}

#[test]
fn an_unknown_outcome_is_tried_again_until_the_deadline_and_then_undone() {
    for step in [Step::Reserve, Step::Pay, Step::Confirm] {
        let mut saga = standing_at(step);
        saga.advance(unknown(), START + ALLOWANCE / 2, 0.0);
        assert!(matches!(saga.progress, Progress::Paused(_)), "{step:?}");
        assert_eq!((saga.step, saga.direction), (step, Direction::Forward));
        assert!(saga.is_too_late(START + ALLOWANCE));
        saga.advance(unknown(), START + ALLOWANCE, 0.0);
        assert_eq!((saga.progress, saga.direction), (Progress::Running, Direction::Backward));
        run(&mut saga);
        assert_eq!(saga.order.failure_reason.as_deref(), Some("CHECKOUT_TIMED_OUT"));
    }
}

#[test]
fn a_promise_is_kept_however_late_it_is() {
    let mut saga = standing_at(Step::Settle);
    let late = START + ALLOWANCE * 100;
    assert!(!saga.is_too_late(late));
    saga.advance(unknown(), late, 0.0);
    assert_eq!((saga.step, saga.direction), (Step::Settle, Direction::Forward));
}

#[test]
fn a_promise_that_cannot_be_kept_ends_cancelled() {
    let mut saga = standing_at(Step::Settle);
    saga.advance(refused("STOCK_LOST"), START, 0.0);
    assert_eq!(saga.order.state, OrderState::Cancelling);
    let undone = vec![Action::Reverse, Action::Release];
    assert_eq!(run(&mut saga), (undone, vec![OrderFact::Cancelled]));
    assert_eq!(saga.order.state, OrderState::Cancelled);
    assert_eq!(saga.order.failure_reason.as_deref(), Some("STOCK_LOST"));
}

#[test]
fn an_undo_is_tried_until_it_is_done() {
    let mut saga = standing_at(Step::Pay);
    saga.advance(refused("PAYMENT_DECLINED"), START, 0.0);
    for outcome in [unknown(), refused("NO_IDEA")] {
        saga.advance(outcome, START + ALLOWANCE * 100, 0.0);
        assert!(matches!(saga.progress, Progress::Paused(_)));
        assert_eq!(saga.action(), Action::Reverse);
    }
}

#[test]
fn a_customer_may_cancel_at_every_step_of_a_checkout_that_goes_forward() {
    for step in [Step::Reserve, Step::Pay, Step::Confirm, Step::Settle] {
        let mut saga = standing_at(step);
        assert_eq!(saga.cancel(START, ALLOWANCE), Ok(()));
        assert_eq!(saga.order.state, OrderState::Cancelling);
        let (actions, facts) = run(&mut saga);
        assert_eq!(actions.last(), Some(&Action::Release), "{step:?}");
        assert_eq!(actions.contains(&Action::Reverse), step >= Step::Pay, "{step:?}");
        assert_eq!(facts, [OrderFact::Cancelled]);
        assert_eq!(saga.order.state, OrderState::Cancelled);
    }
}

#[test]
fn a_settled_order_can_be_cancelled_and_a_cancelled_or_failed_one_cannot() {
    let mut saga = checkout();
    run(&mut saga);
    assert_eq!(saga.cancel(START, ALLOWANCE), Ok(()));
    assert_eq!(saga.cancel(START, ALLOWANCE), Err(NotCancellable(OrderState::Cancelling)));
    run(&mut saga);
    assert_eq!(saga.cancel(START, ALLOWANCE), Err(NotCancellable(OrderState::Cancelled)));

    let mut failing = standing_at(Step::Pay);
    failing.advance(refused("PAYMENT_DECLINED"), START, 0.0);
    assert_eq!(failing.cancel(START, ALLOWANCE), Err(NotCancellable(OrderState::Pending)));
}

#[test]
fn an_operator_gives_up_what_goes_forward_and_only_a_promised_order_is_cancelled() {
    for step in [Step::Reserve, Step::Pay, Step::Confirm, Step::Settle] {
        let mut saga = standing_at(step);
        let late = START + ALLOWANCE * 3;
        assert_eq!(saga.compensate(late, ALLOWANCE), Ok(()));
        assert_eq!((saga.payment_token.as_ref(), saga.deadline_at), (None, late + ALLOWANCE));
        assert_eq!(saga.compensate(late, ALLOWANCE), Err(NotCompensable::GoesBackward));
        let (actions, facts) = run(&mut saga);
        assert_eq!(actions.last(), Some(&Action::Release), "{step:?}");
        let (state, fact) = match step {
            Step::Settle => (OrderState::Cancelled, OrderFact::Cancelled),
            _ => (OrderState::Failed, OrderFact::Failed),
        };
        assert_eq!((saga.order.state, facts), (state, vec![fact]));
        assert_eq!(saga.order.failure_reason.as_deref(), Some("CANCELLED_BY_OPERATOR"));
        assert_eq!(saga.compensate(late, ALLOWANCE), Err(NotCompensable::Ended));
    }
}

#[test]
fn the_payment_token_is_kept_only_as_long_as_it_is_needed() {
    for step in [Step::Reserve, Step::Pay] {
        assert!(standing_at(step).payment_token.is_some());
        let mut failing = standing_at(step);
        failing.advance(refused("NO"), START, 0.0);
        assert_eq!(failing.payment_token, None);
    }
    assert_eq!(standing_at(Step::Confirm).payment_token, None);
}

#[test]
fn pauses_grow_to_ten_seconds_and_are_spread() {
    let pause = |attempts: u32, jitter: f64| {
        let mut saga = checkout();
        saga.attempts = attempts;
        saga.advance(unknown(), START, jitter);
        saga.progress
    };
    assert_eq!(pause(0, 1.0), Progress::Paused(Duration::from_millis(200)));
    assert_eq!(pause(0, 0.0), Progress::Paused(Duration::from_millis(100)));
    assert_eq!(pause(3, 1.0), Progress::Paused(Duration::from_millis(1600)));
    assert_eq!(pause(u32::MAX, 1.0), Progress::Paused(Duration::from_secs(10)));
}

//! The table of states and news.

use types::Currency;

use super::*;
use crate::domain::RefundError;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn payment(state: State) -> Payment {
    let token = Token::new("tok_visa".to_owned());
    let ids = (Uuid::from_u128(2), Uuid::from_u128(3));
    let amount = Money::new(1_000, Currency::Eur);
    let pending = Payment::new(Uuid::from_u128(1), ids, amount, ("sandbox", token), NOW);
    match state {
        State::Pending => pending,
        State::Voided => pending.abandoned(NOW),
        _ => pending.step(state, Some("ch_1"), NOW),
    }
}

fn charge(state: ChargeState) -> Charge {
    let amount = Some(Money::new(1_000, Currency::Eur));
    let captured_minor = if state == ChargeState::Captured { 1_000 } else { 0 };
    Charge { id: "ch_1".to_owned(), amount, captured_minor, refunded_minor: 0, state }
}

fn becomes(from: State, news: ChargeState) -> Option<(State, Vec<Event>)> {
    match payment(from).learn(&charge(news), NOW) {
        Lesson::Changed(next, events) => Some((next.state, events)),
        _ => None,
    }
}

const DECLINED: Failure = Failure::Declined;
const ALL: [State; 7] = [
    State::Pending,
    State::Authorized,
    State::Captured,
    State::Failed(DECLINED),
    State::Voided,
    State::PartiallyRefunded,
    State::Refunded,
];

#[test]
fn a_pending_payment_becomes_what_the_provider_says() {
    let cases = [
        (ChargeState::Authorized, State::Authorized, vec![Event::Authorized]),
        (ChargeState::Captured, State::Captured, vec![Event::Authorized, Event::Captured]),
        (ChargeState::Voided, State::Voided, vec![]),
        (
            ChargeState::Declined(Failure::ActionRequired),
            State::Failed(Failure::ActionRequired),
            vec![Event::Failed(Failure::ActionRequired)],
        ),
    ];
    for (news, state, events) in cases {
        assert_eq!(becomes(State::Pending, news), Some((state, events)));
    }
}

#[test]
fn old_news_change_nothing() {
    for state in [State::Authorized, State::Captured, State::PartiallyRefunded, State::Refunded] {
        assert_eq!(payment(state).learn(&charge(ChargeState::Authorized), NOW), Lesson::Nothing);
    }
    for state in [State::Captured, State::PartiallyRefunded, State::Refunded] {
        assert_eq!(payment(state).learn(&charge(ChargeState::Captured), NOW), Lesson::Nothing);
    }
    for state in [State::Failed(DECLINED), State::Voided] {
        let news = charge(ChargeState::Declined(DECLINED));
        assert_eq!(payment(state).learn(&news, NOW), Lesson::Nothing);
    }
}

#[test]
fn news_told_twice_change_things_once() {
    let all_news = [
        ChargeState::Authorized,
        ChargeState::Captured,
        ChargeState::Voided,
        ChargeState::Declined(DECLINED),
    ];
    for (state, news) in ALL.iter().flat_map(|s| all_news.map(|n| (*s, n))) {
        if let Lesson::Changed(next, _) = payment(state).learn(&charge(news), NOW) {
            assert_eq!(next.learn(&charge(news), NOW), Lesson::Nothing, "{state:?} {news:?}");
            assert_eq!(next.token, None, "{state:?} {news:?}");
        }
    }
}

#[test]
fn money_set_aside_for_a_payment_that_is_over_is_stray() {
    for state in [State::Voided, State::Failed(DECLINED)] {
        assert_eq!(payment(state).learn(&charge(ChargeState::Authorized), NOW), Lesson::Stray);
    }
}

#[test]
fn money_set_aside_a_second_time_is_stray() {
    let second = Charge { id: "ch_2".to_owned(), ..charge(ChargeState::Authorized) };
    assert_eq!(payment(State::Authorized).learn(&second, NOW), Lesson::Stray);
    assert_eq!(payment(State::Captured).learn(&second, NOW), Lesson::Stray);
}

#[test]
fn another_amount_or_currency_is_never_applied() {
    let others =
        [Some(Money::new(999, Currency::Eur)), Some(Money::new(1_000, Currency::Usd)), None];
    for (state, amount) in ALL.iter().flat_map(|s| others.map(|o| (*s, o))) {
        let news = Charge { amount, ..charge(ChargeState::Authorized) };
        assert!(matches!(payment(state).learn(&news, NOW), Lesson::Contradiction(_)));
    }
}

#[test]
fn a_part_of_the_money_is_not_taken_for_the_whole() {
    let part = Charge { captured_minor: 999, ..charge(ChargeState::Captured) };
    for state in [State::Pending, State::Authorized] {
        assert!(matches!(payment(state).learn(&part, NOW), Lesson::Contradiction(_)));
    }
}

#[test]
fn a_refund_that_nobody_asked_for_is_a_contradiction() {
    let told = Charge { refunded_minor: 400, ..charge(ChargeState::Captured) };
    let unasked = payment(State::Captured).learn(&told, NOW);
    assert!(matches!(unasked, Lesson::Contradiction(_)));
    let asked = Payment { refunding_minor: 400, ..payment(State::Captured) };
    assert_eq!(asked.learn(&told, NOW), Lesson::Nothing);
}

#[test]
fn what_is_left_can_be_given_back_and_no_more() {
    let eur = |minor| Some(Money::new(minor, Currency::Eur));
    let payment =
        Payment { refunded_minor: 300, refunding_minor: 200, ..payment(State::PartiallyRefunded) };
    assert_eq!(payment.refundable(None), Ok(Money::new(500, Currency::Eur)));
    assert_eq!(payment.refundable(eur(500)), Ok(Money::new(500, Currency::Eur)));
    assert_eq!(payment.refundable(eur(501)), Err(RefundError::TooLarge));
    assert_eq!(payment.refundable(eur(0)), Err(RefundError::NotPositive));
    let dollars = Some(Money::new(1, Currency::Usd));
    assert_eq!(payment.refundable(dollars), Err(RefundError::OtherCurrency));
    let exhausted = Payment { refunding_minor: 700, ..payment.clone() };
    assert_eq!(exhausted.refundable(None), Err(RefundError::TooLarge));
}

#[test]
fn only_money_that_was_taken_is_given_back() {
    for state in ALL {
        let allowed = payment(state).refundable(None).is_ok();
        assert_eq!(allowed, matches!(state, State::Captured | State::PartiallyRefunded));
    }
}

#[test]
fn a_token_is_never_printed() {
    assert!(!format!("{:?}", payment(State::Pending)).contains("tok_visa"));
}

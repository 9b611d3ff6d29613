//! Which differences there are, and which states go together.

use time::OffsetDateTime;
use types::{Currency, Money};

use super::*;
use crate::domain::{Failure, Token};

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
const DECLINED: Failure = Failure::Declined;

fn account(state: State) -> Account {
    let token = Token::new("tok_visa".to_owned());
    let ids = (Uuid::from_u128(2), Uuid::from_u128(3));
    let amount = Money::new(1_000, Currency::Eur);
    let new = Payment::new(Uuid::from_u128(1), ids, amount, ("sandbox", token), NOW);
    let refunded_minor = match state {
        State::Refunded => 1_000,
        State::PartiallyRefunded => 400,
        _ => 0,
    };
    let taken = matches!(state, State::Captured | State::PartiallyRefunded | State::Refunded);
    let charge_id = (state != State::Pending).then(|| "ch_1".to_owned());
    let payment = Payment { state, refunded_minor, charge_id, ..new };
    Account { payment, captured_minor: if taken { 1_000 } else { 0 }, refunded_minor, agrees: true }
}

fn charge(state: ChargeState, refunded_minor: i64) -> Charge {
    let captured_minor = if state == ChargeState::Captured { 1_000 } else { 0 };
    let amount = Some(Money::new(1_000, Currency::Eur));
    Charge { id: "ch_1".to_owned(), amount, captured_minor, refunded_minor, state }
}

fn kinds(account: &Account, charge: Option<&Charge>) -> Vec<DiscrepancyKind> {
    account.differences(charge).into_iter().map(|d| d.kind).collect()
}

#[test]
fn books_that_say_the_same_do_not_differ() {
    for (ours, theirs, refunded) in [
        (State::Authorized, ChargeState::Authorized, 0),
        (State::Captured, ChargeState::Captured, 0),
        (State::PartiallyRefunded, ChargeState::Captured, 400),
        (State::Refunded, ChargeState::Captured, 1_000),
        (State::Failed(DECLINED), ChargeState::Declined(DECLINED), 0),
        (State::Failed(DECLINED), ChargeState::Voided, 0),
        (State::Voided, ChargeState::Voided, 0),
    ] {
        assert_eq!(kinds(&account(ours), Some(&charge(theirs, refunded))), [], "{ours:?}");
    }
    for nothing in [State::Pending, State::Failed(DECLINED), State::Voided] {
        assert_eq!(kinds(&account(nothing), None), [], "{nothing:?}");
    }
}

#[test]
fn every_kind_of_difference_is_found() {
    use DiscrepancyKind::{Amount, Captured, Ledger, PaymentUnknown, Refunded, State as OfState};
    for held in [State::Authorized, State::Captured, State::PartiallyRefunded, State::Refunded] {
        assert_eq!(kinds(&account(held), None), [PaymentUnknown], "{held:?}");
    }
    let captured = charge(ChargeState::Captured, 0);
    assert_eq!(kinds(&account(State::Authorized), Some(&captured)), [OfState, Captured]);
    assert_eq!(kinds(&account(State::Voided), Some(&captured)), [OfState, Captured]);
    let authorized = charge(ChargeState::Authorized, 0);
    assert_eq!(kinds(&account(State::Pending), Some(&authorized)), [OfState]);
    assert_eq!(kinds(&account(State::Voided), Some(&authorized)), [OfState]);
    let back = charge(ChargeState::Captured, 300);
    assert_eq!(kinds(&account(State::PartiallyRefunded), Some(&back)), [Refunded]);
    let dollars = Some(Money::new(1_000, Currency::Usd));
    let dollars = Charge { amount: dollars, ..captured.clone() };
    assert_eq!(kinds(&account(State::Captured), Some(&dollars)), [Amount]);
    let broken = Account { agrees: false, ..account(State::Captured) };
    assert_eq!(kinds(&broken, Some(&captured)), [Ledger]);
}

#[test]
fn a_second_charge_is_a_difference_while_it_holds_money() {
    let second = |state, refunded| Charge { id: "ch_2".to_owned(), ..charge(state, refunded) };
    let ours = account(State::Captured);
    for held in [second(ChargeState::Authorized, 0), second(ChargeState::Captured, 999)] {
        assert_eq!(kinds(&ours, Some(&held)), [DiscrepancyKind::ChargeUnknown]);
        assert!(held.unknown().is_some());
    }
    for free in [second(ChargeState::Voided, 0), second(ChargeState::Captured, 1_000)] {
        assert_eq!(kinds(&ours, Some(&free)), []);
        assert_eq!(free.unknown(), None);
    }
}

//! A payment and the one rule of its life: it learns from the provider, whatever
//! the order in which news arrive.

use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use super::{Charge, ChargeState, Token};

/// Money that an order costs, on its way.
///
/// There is one payment per order. `refunded_minor + refunding_minor` never
/// exceeds the amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: Uuid,
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub amount: Money,
    pub state: State,
    /// The provider's name.
    pub provider: String,
    /// The provider's id of the charge, once it is known.
    pub charge_id: Option<String>,
    /// Given back, in minor units.
    pub refunded_minor: i64,
    /// Promised to refunds that the provider has not answered yet, in minor units.
    pub refunding_minor: i64,
    /// Kept only while the payment is pending.
    pub token: Option<Token>,
    /// Of a prober: left out of figures about business.
    pub synthetic: bool,
    /// Counts changes.
    pub version: i64,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}

/// Where a payment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Asked for; the provider's answer is not known yet.
    Pending,
    Authorized,
    Captured,
    Failed(Failure),
    Voided,
    PartiallyRefunded,
    Refunded,
}

/// Why a provider refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    Declined,
    /// The customer must do something first, for example confirm with the bank.
    ActionRequired,
}

impl Failure {
    /// The stable reason that callers see.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Declined => "PAYMENT_DECLINED",
            Self::ActionRequired => "PAYMENT_ACTION_REQUIRED",
        }
    }
}

/// Something worth telling others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Authorized,
    Captured,
    Failed(Failure),
}

/// What a payment makes of the provider's news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lesson {
    /// It knew that.
    Nothing,
    /// This is what it becomes.
    Changed(Box<Payment>, Vec<Event>),
    /// The provider sets money aside for a payment that is over, or a second time:
    /// it must be freed.
    Stray,
    /// No step of ours leads there: for a person to look at.
    Contradiction(&'static str),
}

impl Payment {
    /// A payment to be asked for; `id` is a UUIDv7.
    pub fn new(
        id: Uuid,
        (order_id, user_id): (Uuid, Uuid),
        amount: Money,
        (provider, token): (&str, Token),
        now: OffsetDateTime,
    ) -> Self {
        Self {
            id,
            order_id,
            user_id,
            amount,
            state: State::Pending,
            provider: provider.to_owned(),
            charge_id: None,
            refunded_minor: 0,
            refunding_minor: 0,
            token: Some(token),
            synthetic: false,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What the provider's news about this payment mean. News that are older than
    /// what is known already mean nothing.
    pub fn learn(&self, charge: &Charge, now: OffsetDateTime) -> Lesson {
        if charge.amount != Some(self.amount) {
            if self.is_over() && charge.is_over() {
                return Lesson::Nothing;
            }
            return Lesson::Contradiction("the provider's amount is not ours");
        }
        if charge.state == ChargeState::Captured && charge.captured_minor != self.amount.minor() {
            return Lesson::Contradiction("the provider took another sum than was asked for");
        }
        if self.charge_id.as_ref().is_some_and(|known| *known != charge.id) {
            return second_charge(charge);
        }
        let becomes = |state, events: &[Event]| {
            Lesson::Changed(Box::new(self.step(state, Some(&charge.id), now)), events.to_vec())
        };
        match (self.state, charge.state) {
            (State::Pending, ChargeState::Authorized) => {
                becomes(State::Authorized, &[Event::Authorized])
            }
            (State::Pending, ChargeState::Captured) => {
                becomes(State::Captured, &[Event::Authorized, Event::Captured])
            }
            (State::Authorized, ChargeState::Captured) => {
                becomes(State::Captured, &[Event::Captured])
            }
            (State::Pending, ChargeState::Declined(why)) => {
                becomes(State::Failed(why), &[Event::Failed(why)])
            }
            (State::Pending | State::Authorized, ChargeState::Voided) => {
                becomes(State::Voided, &[])
            }
            // Nothing changes but that the charge is known now.
            (State::Voided, ChargeState::Voided) if self.charge_id.is_none() => {
                becomes(State::Voided, &[])
            }
            (State::Voided | State::Failed(_), ChargeState::Authorized) => Lesson::Stray,
            (known, told) => self.old_news(known, told, charge.refunded_minor),
        }
    }

    /// The provider refused.
    pub fn failed(&self, why: Failure, charge_id: Option<&str>, now: OffsetDateTime) -> Self {
        self.step(State::Failed(why), charge_id, now)
    }

    /// Given up before the provider knew of it.
    pub fn abandoned(&self, now: OffsetDateTime) -> Self {
        self.step(State::Voided, None, now)
    }

    /// Ended without money.
    fn is_over(&self) -> bool {
        matches!(self.state, State::Voided | State::Failed(_))
    }

    fn step(&self, state: State, charge_id: Option<&str>, now: OffsetDateTime) -> Self {
        Self {
            state,
            charge_id: charge_id.map(ToOwned::to_owned),
            token: None,
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }

    fn old_news(&self, known: State, told: ChargeState, refunded_minor: i64) -> Lesson {
        use State::{Authorized, Captured, Failed, PartiallyRefunded, Refunded, Voided};
        match (known, told) {
            (Captured | PartiallyRefunded | Refunded, ChargeState::Captured)
                if refunded_minor > self.refunded_minor + self.refunding_minor =>
            {
                Lesson::Contradiction("the provider gave back what we did not ask for")
            }
            (
                Authorized | Captured | PartiallyRefunded | Refunded,
                ChargeState::Authorized | ChargeState::Captured,
            )
            | (Voided | Failed(_), ChargeState::Voided | ChargeState::Declined(_)) => {
                Lesson::Nothing
            }
            _ => Lesson::Contradiction("the provider's state does not follow from ours"),
        }
    }
}

/// A charge that is not the one we know of.
fn second_charge(charge: &Charge) -> Lesson {
    match charge.state {
        ChargeState::Authorized => Lesson::Stray,
        ChargeState::Captured => Lesson::Contradiction("a second charge was captured"),
        ChargeState::Voided | ChargeState::Declined(_) => Lesson::Nothing,
    }
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;

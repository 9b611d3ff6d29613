//! The saga of an order: what to do next, and what an outcome leads to.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{Action, Order, OrderFact, OrderState, Step};
use reasons::{CANCELLED_BY_CUSTOMER, CANCELLED_BY_OPERATOR, CHECKOUT_TIMED_OUT, public_reason};

mod names;
mod reasons;

/// A saga and the order it carries. It turns from forward to backward at most
/// once: whoever reads "backward" knows that nobody will ever go forward again.
#[derive(Debug, Clone)]
pub struct Saga {
    pub order: Order,
    pub kind: Kind,
    pub direction: Direction,
    /// The step to do next, or to undo next.
    pub step: Step,
    pub progress: Progress,
    /// Why it goes backward.
    pub reason: Option<String>,
    /// Kept only as long as it may be needed to pay.
    pub payment_token: Option<PaymentToken>,
    pub payment_id: Option<Uuid>,
    /// Failed tries of the current step.
    pub attempts: u32,
    pub last_error: Option<String>,
    pub started_at: OffsetDateTime,
    /// After this a checkout that is not yet promised goes backward, and every
    /// saga that still runs is overdue.
    pub deadline_at: OffsetDateTime,
}

/// How a saga that goes backward ends: a checkout with FAILED, a cancellation
/// with CANCELLED.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Checkout,
    Cancel,
}

/// Which way a saga goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// Whether there is something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Now.
    Running,
    /// After a pause.
    Paused(Duration),
    /// No.
    Done,
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// The money is set aside, by this payment.
    Paid(Uuid),
    /// Refused for a business reason; trying again would not help.
    Refused(String),
    /// It may have happened or not; trying again will tell.
    Unknown(String),
}

/// The payment provider's token for a means of payment; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentToken(pub String);

/// The order is not in a state from which it can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotCancellable(pub OrderState);

/// Why an operator cannot turn a saga backward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCompensable {
    /// Nothing is left to do.
    Ended,
    /// It goes backward already.
    GoesBackward,
}

/// The pause after the first failed try; it doubles with every further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

impl Saga {
    /// The checkout of a new order, which has `allowance` to be promised.
    pub fn checkout(
        order: Order,
        payment_token: PaymentToken,
        now: OffsetDateTime,
        allowance: Duration,
    ) -> Self {
        Self {
            order,
            kind: Kind::Checkout,
            direction: Direction::Forward,
            step: Step::FIRST,
            progress: Progress::Running,
            reason: None,
            payment_token: Some(payment_token),
            payment_id: None,
            attempts: 0,
            last_error: None,
            started_at: now,
            deadline_at: now + allowance,
        }
    }

    /// What to do next.
    pub fn action(&self) -> Action {
        match self.direction {
            Direction::Forward => self.step.act(),
            // Backward stands only on steps that have an undo.
            Direction::Backward => self.step.undo().unwrap_or(Action::Release),
        }
    }

    /// True when going forward makes no sense any more.
    pub fn is_too_late(&self, now: OffsetDateTime) -> bool {
        let revocable = self.direction == Direction::Forward && !self.step.is_promised();
        revocable && now >= self.deadline_at
    }

    /// Takes in what came of the action. `jitter` in 0..1 spreads the pauses.
    /// Answers what the world should be told.
    pub fn advance(
        &mut self,
        outcome: Outcome,
        now: OffsetDateTime,
        jitter: f64,
    ) -> Option<OrderFact> {
        match (self.direction, outcome) {
            (_, Outcome::Unknown(cause)) if self.is_too_late(now) => {
                self.last_error = Some(cause);
                self.turn_back(CHECKOUT_TIMED_OUT, now)
            }
            // An undo must not be refused; if it is, people have to look at it.
            (_, Outcome::Unknown(cause)) | (Direction::Backward, Outcome::Refused(cause)) => {
                self.pause(cause, jitter)
            }
            (Direction::Forward, Outcome::Refused(reason)) => {
                let public = public_reason(&reason);
                self.last_error = Some(reason);
                self.turn_back(public, now)
            }
            (Direction::Forward, Outcome::Paid(payment_id)) => {
                self.payment_id = Some(payment_id);
                self.go_forward(now)
            }
            (Direction::Forward, Outcome::Done) => self.go_forward(now),
            (Direction::Backward, Outcome::Done | Outcome::Paid(_)) => self.go_back(now),
        }
    }

    /// Turns the saga backward because the customer wants it so. Possible as long
    /// as the order is in checkout or confirmed, settled or not.
    pub fn cancel(
        &mut self,
        now: OffsetDateTime,
        allowance: Duration,
    ) -> Result<(), NotCancellable> {
        let open = matches!(self.order.state, OrderState::Pending | OrderState::Confirmed);
        if !open || self.direction == Direction::Backward {
            return Err(NotCancellable(self.order.state));
        }
        self.started_at = now;
        self.deadline_at = now + allowance;
        self.give_up_order(CANCELLED_BY_CUSTOMER, now);
        self.turn_back(CANCELLED_BY_CUSTOMER, now);
        Ok(())
    }

    /// Turns the saga backward because an operator gives it up. A checkout ends
    /// FAILED, and an order that was promised CANCELLED.
    pub fn compensate(
        &mut self,
        now: OffsetDateTime,
        allowance: Duration,
    ) -> Result<(), NotCompensable> {
        match (self.progress, self.direction) {
            (Progress::Done, _) => return Err(NotCompensable::Ended),
            (_, Direction::Backward) => return Err(NotCompensable::GoesBackward),
            _ => {}
        }
        self.deadline_at = now + allowance;
        self.turn_back(CANCELLED_BY_OPERATOR, now);
        Ok(())
    }

    fn go_forward(&mut self, now: OffsetDateTime) -> Option<OrderFact> {
        let done = self.step;
        self.progress = done.next().map_or(Progress::Done, |_| Progress::Running);
        self.step = done.next().unwrap_or(done);
        self.attempts = 0;
        self.last_error = None;
        match done {
            Step::Pay => self.payment_token = None,
            Step::Confirm => {
                self.order.confirm(self.payment_id, now);
                return Some(OrderFact::Confirmed);
            }
            Step::Reserve | Step::Settle => {}
        }
        None
    }

    fn turn_back(&mut self, reason: &str, now: OffsetDateTime) -> Option<OrderFact> {
        if self.step.is_promised() && self.kind == Kind::Checkout {
            self.give_up_order(reason, now);
        }
        self.direction = Direction::Backward;
        self.reason = Some(reason.to_owned());
        self.step = self.step.back_from().unwrap_or(Step::FIRST);
        self.progress = Progress::Running;
        self.payment_token = None;
        self.attempts = 0;
        None
    }

    /// The order will end CANCELLED.
    fn give_up_order(&mut self, reason: &str, now: OffsetDateTime) {
        self.kind = Kind::Cancel;
        self.order.begin_cancelling(reason, self.payment_id, now);
    }

    fn go_back(&mut self, now: OffsetDateTime) -> Option<OrderFact> {
        self.attempts = 0;
        self.last_error = None;
        if let Some(before) = self.step.back() {
            self.step = before;
            self.progress = Progress::Running;
            return None;
        }
        self.progress = Progress::Done;
        match self.kind {
            Kind::Checkout => {
                let reason = self.reason.as_deref().unwrap_or(CHECKOUT_TIMED_OUT);
                self.order.fail(reason, self.payment_id, now);
                Some(OrderFact::Failed)
            }
            Kind::Cancel => {
                self.order.cancelled(now);
                Some(OrderFact::Cancelled)
            }
        }
    }

    fn pause(&mut self, cause: String, jitter: f64) -> Option<OrderFact> {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.attempts.min(10));
        let longest = doubled.min(LONGEST_PAUSE);
        self.progress = Progress::Paused(longest.mul_f64(0.5 + jitter / 2.0));
        self.attempts = self.attempts.saturating_add(1);
        self.last_error = Some(cause);
        None
    }
}

impl fmt::Debug for PaymentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PaymentToken([redacted])")
    }
}

#[cfg(test)]
mod tests;

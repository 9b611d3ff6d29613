//! Figures about business: what became of payments, money taken and given back. Payments
//! of probers are none.

use types::{Currency, Money};

use crate::domain::{Event, Failure, Payment, Refund, State};

/// How asking for money may end.
const OUTCOMES: [&str; 3] = ["authorized", "declined", "action_required"];

/// Shows every figure from the start: a rise from nothing is not seen as one.
pub fn begin() {
    for outcome in OUTCOMES {
        metrics::counter!("stoa_payments_total", "outcome" => outcome).increment(0);
    }
    for currency in Currency::ALL {
        for name in ["stoa_revenue_minor_total", "stoa_refunds_minor_total"] {
            metrics::counter!(name, "currency" => currency.code()).increment(0);
        }
    }
}

/// A payment came to another state, told by these events.
pub fn changed(payment: &Payment, events: &[Event]) {
    if payment.synthetic {
        return;
    }
    state(payment);
    for event in events {
        match event {
            Event::Authorized => outcome("authorized"),
            Event::Failed(Failure::Declined) => outcome("declined"),
            Event::Failed(Failure::ActionRequired) => outcome("action_required"),
            Event::Captured => money("stoa_revenue_minor_total", payment.amount),
        }
    }
}

/// Money of a payment was given back.
pub fn given_back(payment: &Payment, refund: &Refund) {
    if !payment.synthetic {
        state(payment);
        money("stoa_refunds_minor_total", refund.amount);
    }
}

fn state(payment: &Payment) {
    let state = match payment.state {
        State::Pending => "pending",
        State::Authorized => "authorized",
        State::Captured => "captured",
        State::Failed(_) => "failed",
        State::Voided => "voided",
        State::PartiallyRefunded => "partially_refunded",
        State::Refunded => "refunded",
    };
    metrics::counter!("payments_state_changes_total", "state" => state).increment(1);
}

fn outcome(outcome: &'static str) {
    metrics::counter!("stoa_payments_total", "outcome" => outcome).increment(1);
}

fn money(name: &'static str, amount: Money) {
    // No sum that goes one way is negative.
    let minor = u64::try_from(amount.minor()).unwrap_or_default();
    metrics::counter!(name, "currency" => amount.currency().code()).increment(minor);
}

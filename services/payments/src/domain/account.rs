//! A payment beside the provider's books: where the two differ.

use uuid::Uuid;

use super::{Charge, ChargeState, Payment, State};

/// A payment with what the ledger has booked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub payment: Payment,
    /// Taken, in minor units.
    pub captured_minor: i64,
    /// Given back, in minor units.
    pub refunded_minor: i64,
    /// The ledger balances and says what the payment says.
    pub agrees: bool,
}

/// A difference between two books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discrepancy {
    pub kind: DiscrepancyKind,
    /// Absent: the charge belongs to no payment of ours.
    pub payment: Option<Named>,
    /// Absent: the provider knows of none.
    pub charge_id: Option<String>,
    /// What we have recorded, in words.
    pub recorded: String,
    /// What the provider, or the ledger, has recorded, in words.
    pub provided: String,
}

/// The ids of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    pub payment_id: Uuid,
    pub order_id: Uuid,
}

/// What may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiscrepancyKind {
    /// The provider holds money for which we have no payment.
    ChargeUnknown,
    /// We have recorded money of which the provider knows nothing.
    PaymentUnknown,
    /// Amount or currency.
    Amount,
    State,
    /// Another sum was taken than the ledger has.
    Captured,
    /// Another sum was given back than the ledger has.
    Refunded,
    /// The ledger contradicts the payment, or does not balance.
    Ledger,
}

impl DiscrepancyKind {
    pub const ALL: [Self; 7] = [
        Self::ChargeUnknown,
        Self::PaymentUnknown,
        Self::Amount,
        Self::State,
        Self::Captured,
        Self::Refunded,
        Self::Ledger,
    ];

    /// The stable name, as in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChargeUnknown => "charge_unknown",
            Self::PaymentUnknown => "payment_unknown",
            Self::Amount => "amount",
            Self::State => "state",
            Self::Captured => "captured",
            Self::Refunded => "refunded",
            Self::Ledger => "ledger",
        }
    }
}

impl Account {
    /// Every difference to what the provider has; nothing given: it has no charge.
    pub fn differences(&self, charge: Option<&Charge>) -> Vec<Discrepancy> {
        let mut found = Vec::new();
        if !self.agrees {
            let ledger = format!("taken {}, back {}", self.captured_minor, self.refunded_minor);
            let ours = format!("{} {}", name(self.payment.state), self.payment.refunded_minor);
            found.push(self.difference(DiscrepancyKind::Ledger, charge, ours, ledger));
        }
        match charge {
            None => found.extend(self.missing()),
            Some(charge) if self.is_another(charge) => found.extend(self.second(charge)),
            Some(charge) => found.extend(self.compare(charge)),
        }
        found
    }

    /// Money that the provider ought to know of.
    fn missing(&self) -> Option<Discrepancy> {
        let holds = match self.payment.state {
            State::Pending | State::Failed(_) | State::Voided => false,
            State::Authorized | State::Captured | State::PartiallyRefunded | State::Refunded => {
                true
            }
        };
        let ours = format!("{} {}", name(self.payment.state), self.payment.amount);
        holds.then(|| {
            self.difference(DiscrepancyKind::PaymentUnknown, None, ours, "nothing".to_owned())
        })
    }

    /// True when it is not the charge that we know of.
    pub fn is_another(&self, charge: &Charge) -> bool {
        self.payment.charge_id.as_ref().is_some_and(|known| *known != charge.id)
    }

    /// A further charge for the same payment; harmless where it holds no money.
    pub fn second(&self, charge: &Charge) -> Option<Discrepancy> {
        let ours = self.payment.charge_id.clone().unwrap_or_default();
        let holds = charge.holds_money();
        let theirs = charge.words();
        holds.then(|| self.difference(DiscrepancyKind::ChargeUnknown, Some(charge), ours, theirs))
    }

    fn compare(&self, charge: &Charge) -> Vec<Discrepancy> {
        let (payment, mut found) = (&self.payment, Vec::new());
        let mut note = |kind, ours: String, theirs: String| {
            found.push(self.difference(kind, Some(charge), ours, theirs));
        };
        if charge.amount != Some(payment.amount) {
            let theirs = charge.amount.map_or_else(|| "unknown currency".into(), |a| a.to_string());
            note(DiscrepancyKind::Amount, payment.amount.to_string(), theirs);
        }
        if !follows(payment.state, charge.state) {
            note(DiscrepancyKind::State, name(payment.state).to_owned(), charge.words());
        }
        if charge.captured_minor != self.captured_minor {
            let (ours, theirs) = (self.captured_minor, charge.captured_minor);
            note(DiscrepancyKind::Captured, ours.to_string(), theirs.to_string());
        }
        if charge.refunded_minor != self.refunded_minor {
            let (ours, theirs) = (self.refunded_minor, charge.refunded_minor);
            note(DiscrepancyKind::Refunded, ours.to_string(), theirs.to_string());
        }
        found
    }

    fn difference(
        &self,
        kind: DiscrepancyKind,
        charge: Option<&Charge>,
        recorded: String,
        provided: String,
    ) -> Discrepancy {
        let Payment { id: payment_id, order_id, .. } = self.payment;
        let charge_id = charge.map(|c| c.id.clone()).or_else(|| self.payment.charge_id.clone());
        let payment = Some(Named { payment_id, order_id });
        Discrepancy { kind, payment, charge_id, recorded, provided }
    }
}

impl Charge {
    /// A charge that belongs to no payment of ours; harmless where it holds no money.
    pub fn unknown(&self) -> Option<Discrepancy> {
        self.holds_money().then(|| Discrepancy {
            kind: DiscrepancyKind::ChargeUnknown,
            payment: None,
            charge_id: Some(self.id.clone()),
            recorded: "nothing".to_owned(),
            provided: self.words(),
        })
    }

    fn holds_money(&self) -> bool {
        match self.state {
            ChargeState::Authorized => true,
            ChargeState::Captured => self.captured_minor > self.refunded_minor,
            ChargeState::Voided | ChargeState::Declined(_) => false,
        }
    }

    fn words(&self) -> String {
        let state = match self.state {
            ChargeState::Authorized => "authorized",
            ChargeState::Captured => "captured",
            ChargeState::Voided => "voided",
            ChargeState::Declined(_) => "declined",
        };
        self.amount.map_or_else(|| state.to_owned(), |amount| format!("{state} {amount}"))
    }
}

/// Whether the provider's state is one that goes with ours.
fn follows(ours: State, theirs: ChargeState) -> bool {
    match ours {
        // It has learned nothing yet, though there is something to learn.
        State::Pending => false,
        State::Authorized => theirs == ChargeState::Authorized,
        State::Captured | State::PartiallyRefunded | State::Refunded => {
            theirs == ChargeState::Captured
        }
        State::Failed(_) | State::Voided => {
            matches!(theirs, ChargeState::Voided | ChargeState::Declined(_))
        }
    }
}

fn name(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Authorized => "authorized",
        State::Captured => "captured",
        State::Failed(_) => "failed",
        State::Voided => "voided",
        State::PartiallyRefunded => "partially refunded",
        State::Refunded => "refunded",
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;

//! The provider's side of a payment.

use std::fmt;

use types::Money;

use super::Failure;

/// What a provider says about a payment at some moment; it may be old news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The provider's id.
    pub id: String,
    /// Absent: in a currency that the platform does not trade in.
    pub amount: Option<Money>,
    /// Taken, in minor units, given back or not.
    pub captured_minor: i64,
    /// Given back so far, in minor units.
    pub refunded_minor: i64,
    pub state: ChargeState,
}

impl Charge {
    /// Ended without money.
    pub fn is_over(&self) -> bool {
        matches!(self.state, ChargeState::Voided | ChargeState::Declined(_))
    }

    /// Money is held for a payment of `amount`, and it is another sum.
    pub fn is_set_aside_wrongly(&self, amount: Money) -> bool {
        self.state == ChargeState::Authorized && self.amount != Some(amount)
    }
}

/// Where a charge is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeState {
    Authorized,
    /// Taken, and perhaps given back in parts or altogether.
    Captured,
    Voided,
    Declined(Failure),
}

/// The provider's token for a means of payment. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token itself, for the provider and the store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

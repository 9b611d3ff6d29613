//! A charge and the steps it may take: authorized, captured, refunded in parts or
//! voided; declined from the start.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Where a charge is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    Authorized,
    Captured,
    PartiallyRefunded,
    Refunded,
    Voided,
    Declined,
}

/// A charge, as it is stored and as it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Charge {
    /// `ch_` and a UUIDv7, so that ids sort by age.
    pub id: String,
    /// The client's own id for it.
    pub reference: String,
    /// Minor currency units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    pub state: State,
    /// Why it was declined.
    pub failure_code: Option<String>,
    /// Minor currency units, at most the amount.
    pub refunded_minor: i64,
    #[serde(with = "time::serde::timestamp")]
    pub created_at: OffsetDateTime,
}

/// Why a step cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    #[error("only an authorized charge can be captured")]
    NotCapturable,
    #[error("only an authorized charge can be voided")]
    NotVoidable,
    #[error("only a captured charge can be refunded")]
    NotRefundable,
    #[error("more than what is left of the charge cannot be refunded")]
    RefundTooLarge,
}

impl StepError {
    /// The stable code that clients see.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotCapturable => "charge_not_capturable",
            Self::NotVoidable => "charge_not_voidable",
            Self::NotRefundable => "charge_not_refundable",
            Self::RefundTooLarge => "refund_too_large",
        }
    }
}

impl Charge {
    /// A new charge; with a failure code it is declined.
    pub fn new(
        reference: &str,
        amount_minor: i64,
        currency: &str,
        failure_code: Option<&str>,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            id: format!("ch_{}", Uuid::now_v7().simple()),
            reference: reference.to_owned(),
            amount_minor,
            currency: currency.to_owned(),
            state: if failure_code.is_some() { State::Declined } else { State::Authorized },
            failure_code: failure_code.map(ToOwned::to_owned),
            refunded_minor: 0,
            created_at: now,
        }
    }

    /// Takes the money.
    pub fn capture(&mut self) -> Result<(), StepError> {
        if self.state != State::Authorized {
            return Err(StepError::NotCapturable);
        }
        self.state = State::Captured;
        Ok(())
    }

    /// Frees the money.
    pub fn void(&mut self) -> Result<(), StepError> {
        if self.state != State::Authorized {
            return Err(StepError::NotVoidable);
        }
        self.state = State::Voided;
        Ok(())
    }

    /// Gives a part of the money back; `amount` is in minor units and positive.
    pub fn refund(&mut self, amount: i64) -> Result<(), StepError> {
        if !matches!(self.state, State::Captured | State::PartiallyRefunded) {
            return Err(StepError::NotRefundable);
        }
        let left = self.amount_minor - self.refunded_minor;
        if amount > left {
            return Err(StepError::RefundTooLarge);
        }
        self.refunded_minor += amount;
        self.state = if amount == left { State::Refunded } else { State::PartiallyRefunded };
        Ok(())
    }

    /// The type of the webhook that tells the present state.
    pub fn event_type(&self) -> &'static str {
        match self.state {
            State::Authorized => "charge.authorized",
            State::Captured => "charge.captured",
            State::PartiallyRefunded | State::Refunded => "charge.refunded",
            State::Voided => "charge.voided",
            State::Declined => "charge.declined",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charge() -> Charge {
        Charge::new("ref", 1_000, "EUR", None, OffsetDateTime::UNIX_EPOCH)
    }

    #[test]
    fn money_is_captured_once_and_given_back_in_parts() {
        let mut charge = charge();
        assert_eq!(charge.refund(1), Err(StepError::NotRefundable));
        assert_eq!(charge.capture(), Ok(()));
        assert_eq!(charge.capture(), Err(StepError::NotCapturable));
        assert_eq!(charge.void(), Err(StepError::NotVoidable));
        assert_eq!(charge.refund(400), Ok(()));
        assert_eq!(charge.state, State::PartiallyRefunded);
        assert_eq!(charge.refund(601), Err(StepError::RefundTooLarge));
        assert_eq!(charge.refund(600), Ok(()));
        assert_eq!(charge.state, State::Refunded);
        assert_eq!(charge.refund(1), Err(StepError::NotRefundable));
    }

    #[test]
    fn a_voided_or_declined_charge_takes_no_step() {
        let mut voided = charge();
        assert_eq!(voided.void(), Ok(()));
        assert_eq!(voided.void(), Err(StepError::NotVoidable));
        assert_eq!(voided.capture(), Err(StepError::NotCapturable));
        let mut declined =
            Charge::new("ref", 1, "EUR", Some("card_declined"), OffsetDateTime::UNIX_EPOCH);
        assert_eq!(declined.capture(), Err(StepError::NotCapturable));
        assert_eq!(declined.void(), Err(StepError::NotVoidable));
    }
}

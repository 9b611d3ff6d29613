//! Between the domain's values and the contract's messages.

use grpc::Problem;
use grpc::convert::{money, timestamp};
use proto::payments::v1 as pb;
use tonic::Status;
use types::Money;

use crate::core::{Error, Findings};
use crate::domain::{Discrepancy, DiscrepancyKind, Payment, RefundError, State};

pub(super) fn to_payment(payment: &Payment) -> pb::Payment {
    let (state, failure_reason) = to_state(payment.state);
    pb::Payment {
        payment_id: payment.id.to_string(),
        order_id: payment.order_id.to_string(),
        state: state.into(),
        amount: Some(money(payment.amount)),
        refunded: Some(money(Money::new(payment.refunded_minor, payment.amount.currency()))),
        provider: payment.provider.clone(),
        failure_reason: failure_reason.to_owned(),
        create_time: Some(timestamp(payment.created_at)),
        update_time: Some(timestamp(payment.updated_at)),
    }
}

fn to_state(state: State) -> (pb::PaymentState, &'static str) {
    match state {
        State::Pending => (pb::PaymentState::Pending, ""),
        State::Authorized => (pb::PaymentState::Authorized, ""),
        State::Captured => (pb::PaymentState::Captured, ""),
        State::Failed(why) => (pb::PaymentState::Failed, why.reason()),
        State::Voided => (pb::PaymentState::Voided, ""),
        State::PartiallyRefunded => (pb::PaymentState::PartiallyRefunded, ""),
        State::Refunded => (pb::PaymentState::Refunded, ""),
    }
}

pub(super) fn to_page(
    findings: Findings,
    next_page_token: String,
) -> pb::ReconcilePaymentsResponse {
    let Findings { discrepancies, compared, unsettled } = findings;
    let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    pb::ReconcilePaymentsResponse {
        discrepancies: discrepancies.into_iter().map(to_discrepancy).collect(),
        next_page_token,
        compared_count: count(compared),
        unsettled_count: count(unsettled),
    }
}

fn to_discrepancy(discrepancy: Discrepancy) -> pb::PaymentDiscrepancy {
    let Discrepancy { kind, payment, charge_id, recorded, provided } = discrepancy;
    pb::PaymentDiscrepancy {
        kind: to_kind(kind).into(),
        payment_id: payment.map(|p| p.payment_id.to_string()).unwrap_or_default(),
        order_id: payment.map(|p| p.order_id.to_string()).unwrap_or_default(),
        charge_id: charge_id.unwrap_or_default(),
        recorded,
        provided,
    }
}

fn to_kind(kind: DiscrepancyKind) -> pb::PaymentDiscrepancyKind {
    match kind {
        DiscrepancyKind::ChargeUnknown => pb::PaymentDiscrepancyKind::ChargeUnknown,
        DiscrepancyKind::PaymentUnknown => pb::PaymentDiscrepancyKind::PaymentUnknown,
        DiscrepancyKind::Amount => pb::PaymentDiscrepancyKind::Amount,
        DiscrepancyKind::State => pb::PaymentDiscrepancyKind::State,
        DiscrepancyKind::Captured => pb::PaymentDiscrepancyKind::Captured,
        DiscrepancyKind::Refunded => pb::PaymentDiscrepancyKind::Refunded,
        DiscrepancyKind::Ledger => pb::PaymentDiscrepancyKind::Ledger,
    }
}

pub(super) fn problem(error: Error) -> Status {
    Problem::from(error).into()
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotFound => Self::not_found("PAYMENT_NOT_FOUND", text),
            Error::Closed => Self::precondition("PAYMENT_CLOSED", text),
            Error::Mismatch => Self::already_exists("PAYMENT_MISMATCH", text),
            Error::AmountNotPositive => Self::field("amount", "must be more than zero"),
            Error::Failed(why) => Self::precondition(why.reason(), text),
            Error::NotCapturable => Self::precondition("PAYMENT_NOT_CAPTURABLE", text),
            Error::Refund(why) => refund_problem(why),
            Error::UserErased => Self::unauthenticated("TOKEN_INVALID", text),
            Error::KeyReused => Self::already_exists("IDEMPOTENCY_KEY_REUSED", text),
            Error::Conflict => Self::aborted("PAYMENT_CONFLICT", text),
            Error::ProviderUnavailable(cause) => {
                tracing::warn!(error = cause, "the payment provider does not answer");
                let text = "the payment provider does not answer; the outcome is not known yet";
                Self::unavailable("PROVIDER_UNAVAILABLE", text)
            }
            Error::WindowInvalid => Self::invalid("WINDOW_INVALID", text),
            Error::ProviderUnknown => Self::not_found("PROVIDER_UNKNOWN", text),
            Error::WebhookSignature => {
                tracing::warn!("a webhook without a valid signature");
                Self::unauthenticated("WEBHOOK_SIGNATURE_INVALID", text)
            }
            Error::WebhookMalformed(_) => Self::invalid("WEBHOOK_MALFORMED", text),
            Error::Contradiction(_) => Self::internal(text),
            Error::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the database does not answer");
                Self::unavailable("DATABASE_UNAVAILABLE", "payments cannot be reached")
            }
            Error::Store(cause) => Self::internal(format!("{text}: {cause}")),
        }
    }
}

fn refund_problem(why: RefundError) -> Problem {
    match why {
        RefundError::NotRefundable => {
            Problem::precondition("PAYMENT_NOT_REFUNDABLE", why.to_string())
        }
        RefundError::TooLarge => Problem::precondition("REFUND_TOO_LARGE", why.to_string()),
        RefundError::OtherCurrency | RefundError::NotPositive => {
            Problem::field("amount", why.to_string())
        }
    }
}

//! The sandbox's JSON.

use reqwest::StatusCode;
use serde::Deserialize;
use time::OffsetDateTime;
use types::Money;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{Entry, News, Page, ProviderError, Webhook};
use crate::domain::{Charge, ChargeState, Failure};
use crate::infrastructure::http;

#[derive(Deserialize)]
pub(super) struct WireCharge {
    /// `id` in answers, `charge_id` in webhooks.
    #[serde(alias = "charge_id")]
    id: String,
    reference: String,
    amount_minor: i64,
    currency: String,
    refunded_minor: i64,
    state: WireState,
    failure_code: Option<String>,
    /// Seconds since 1970; absent in webhooks.
    created_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireState {
    Authorized,
    Captured,
    PartiallyRefunded,
    Refunded,
    Voided,
    Declined,
}

#[derive(Deserialize)]
pub(super) struct WireRefund {
    pub(super) charge: WireCharge,
}

/// A page.
#[derive(Deserialize)]
pub(super) struct WireList<T> {
    pub(super) data: Vec<T>,
    next: Option<String>,
}

impl<T> WireList<T> {
    pub(super) fn page(self, entry: impl Fn(T) -> Entry) -> Page {
        Page { entries: self.data.into_iter().map(entry).collect(), next: self.next }
    }
}

impl From<WireCharge> for Entry {
    fn from(wire: WireCharge) -> Self {
        let seconds = wire.created_at.unwrap_or_default();
        Self {
            payment_id: Uuid::try_parse(&wire.reference).ok(),
            made_at: OffsetDateTime::from_unix_timestamp(seconds)
                .unwrap_or(OffsetDateTime::UNIX_EPOCH),
            charge: wire.into(),
        }
    }
}

#[derive(Deserialize)]
struct WireEvent {
    id: String,
    r#type: String,
    data: serde_json::Value,
}

/// `{"error": {…}}`.
#[derive(Deserialize)]
struct WireFailure {
    error: WireError,
}

#[derive(Deserialize, Default)]
pub(super) struct WireError {
    pub(super) code: String,
    charge_id: Option<String>,
}

impl From<WireCharge> for Charge {
    fn from(wire: WireCharge) -> Self {
        let state = match wire.state {
            WireState::Authorized => ChargeState::Authorized,
            WireState::Captured | WireState::PartiallyRefunded | WireState::Refunded => {
                ChargeState::Captured
            }
            WireState::Voided => ChargeState::Voided,
            WireState::Declined => {
                ChargeState::Declined(failure(wire.failure_code.as_deref().unwrap_or_default()))
            }
        };
        let currency = wire.currency.parse().ok();
        let captured_minor = if state == ChargeState::Captured { wire.amount_minor } else { 0 };
        Self {
            id: wire.id,
            amount: currency.map(|c| Money::new(wire.amount_minor, c)),
            captured_minor,
            refunded_minor: wire.refunded_minor,
            state,
        }
    }
}

impl WireError {
    /// An answer without a readable error has no code.
    pub(super) fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).map(|f: WireFailure| f.error).unwrap_or_default()
    }

    pub(super) fn declined(self) -> ProviderError {
        ProviderError::Declined { why: failure(&self.code), charge_id: self.charge_id }
    }

    pub(super) fn unknown(&self, operation: &str, status: StatusCode) -> ProviderError {
        ProviderError::Unknown(format!("{operation}: HTTP {} {}", status.as_u16(), self.code))
    }
}

fn failure(code: &str) -> Failure {
    if code == "action_required" { Failure::ActionRequired } else { Failure::Declined }
}

/// The answer to a step of a charge.
pub(super) fn changed(
    operation: &str,
    status: StatusCode,
    body: &[u8],
) -> Result<WireCharge, ProviderError> {
    if status.is_success() {
        return http::parse(body);
    }
    let error = WireError::of(body);
    let refused = status == StatusCode::CONFLICT && error.code != "idempotency_key_reused";
    if refused || (status == StatusCode::NOT_FOUND && error.code == "not_found") {
        return Err(ProviderError::Refused(error.code));
    }
    Err(error.unknown(operation, status))
}

/// A webhook whose signature is checked. Types that are not about charges are for
/// others.
pub(super) fn webhook(body: &[u8]) -> Result<Webhook, Error> {
    let malformed = |e: serde_json::Error| Error::WebhookMalformed(e.to_string());
    let event: WireEvent = serde_json::from_slice(body).map_err(malformed)?;
    Webhook::check_id(&event.id)?;
    let news = if event.r#type.starts_with("charge.") {
        let charge: WireCharge = serde_json::from_value(event.data).map_err(malformed)?;
        let payment_id = Uuid::try_parse(&charge.reference).ok();
        Some(News { payment_id, charge: charge.into() })
    } else {
        None
    };
    Ok(Webhook { event_id: event.id, kind: event.r#type, news })
}

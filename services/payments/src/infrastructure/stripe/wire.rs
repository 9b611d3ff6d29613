//! Stripe's JSON, as far as it says something about our payments.

pub(super) mod books;

use reqwest::StatusCode;
use serde::Deserialize;
use types::Money;
use uuid::Uuid;

use crate::core::Error;
use crate::core::ports::{News, ProviderError, Webhook};
use crate::domain::{Charge, ChargeState, Failure};

/// <https://docs.stripe.com/api/payment_intents/object>
#[derive(Deserialize)]
pub(super) struct Intent {
    id: String,
    amount: i64,
    amount_received: Option<i64>,
    currency: String,
    status: Status,
    created: Option<i64>,
    #[serde(default)]
    metadata: Metadata,
    latest_charge: Option<LatestCharge>,
    last_payment_error: Option<Reason>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Status {
    RequiresCapture,
    Succeeded,
    Canceled,
    RequiresPaymentMethod,
    /// On its way, or waiting for somebody: nothing to learn yet.
    #[serde(other)]
    Underway,
}

/// An id, unless it was asked for with `expand`.
#[derive(Deserialize)]
#[serde(untagged)]
enum LatestCharge {
    Whole { amount_refunded: i64 },
    Id(#[allow(dead_code)] String),
}

#[derive(Deserialize, Default)]
struct Metadata {
    payment_id: Option<String>,
}

/// <https://docs.stripe.com/api/charges/object>
#[derive(Deserialize)]
struct WireCharge {
    payment_intent: Option<String>,
    amount: i64,
    amount_captured: Option<i64>,
    amount_refunded: i64,
    currency: String,
    #[serde(default)]
    metadata: Metadata,
}

/// <https://docs.stripe.com/api/events/object>
#[derive(Deserialize)]
struct Event {
    id: String,
    r#type: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: serde_json::Value,
}

/// Why a payment was refused.
#[derive(Deserialize, Default)]
struct Reason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    decline_code: String,
}

/// <https://docs.stripe.com/api/errors>
#[derive(Deserialize, Default)]
pub(super) struct Failed {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(flatten)]
    reason: Reason,
    param: Option<String>,
    payment_intent: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Intent {
    /// What it says about our payment.
    pub(super) fn charge(self) -> Result<Charge, ProviderError> {
        let state = match self.status {
            Status::RequiresCapture => ChargeState::Authorized,
            Status::Succeeded => ChargeState::Captured,
            Status::Canceled => ChargeState::Voided,
            Status::RequiresPaymentMethod => {
                ChargeState::Declined(self.last_payment_error.unwrap_or_default().failure())
            }
            Status::Underway => return Err(ProviderError::Unknown("still under way".to_owned())),
        };
        let refunded_minor = match self.latest_charge {
            Some(LatestCharge::Whole { amount_refunded }) => amount_refunded,
            _ => 0,
        };
        let taken = self.amount_received.unwrap_or(self.amount);
        Ok(Charge {
            id: self.id,
            amount: money(self.amount, &self.currency),
            captured_minor: if state == ChargeState::Captured { taken } else { 0 },
            refunded_minor,
            state,
        })
    }
}

impl Reason {
    fn failure(&self) -> Failure {
        let asks = "authentication_required";
        if self.code == asks || self.decline_code == asks {
            Failure::ActionRequired
        } else {
            Failure::Declined
        }
    }
}

impl Failed {
    /// An answer without a readable error has no code.
    pub(super) fn of(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Body {
            error: Failed,
        }
        serde_json::from_slice(body).map(|b: Body| b.error).unwrap_or_default()
    }

    /// The card was refused, or there is no such token: both are final.
    pub(super) fn of_authorization(self, status: StatusCode) -> ProviderError {
        let no_token = status == StatusCode::BAD_REQUEST
            && self.kind == "invalid_request_error"
            && self.param.as_deref() == Some("payment_method");
        if status == StatusCode::PAYMENT_REQUIRED || no_token {
            let why = self.reason.failure();
            return ProviderError::Declined { why, charge_id: self.payment_intent.map(|i| i.id) };
        }
        self.unknown("authorize", status)
    }

    /// The intent is in another state than the step needs, or there is none.
    pub(super) fn of_step(self, operation: &str, status: StatusCode) -> ProviderError {
        let answered = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&status);
        // `idempotency_error` is a 400 too, and says nothing about the intent.
        if answered && self.kind == "invalid_request_error" {
            return ProviderError::Refused(self.reason.code);
        }
        self.unknown(operation, status)
    }

    pub(super) fn unknown(&self, operation: &str, status: StatusCode) -> ProviderError {
        let code = &self.reason.code;
        ProviderError::Unknown(format!(
            "{operation}: HTTP {} {} {code}",
            status.as_u16(),
            self.kind
        ))
    }
}

/// A webhook whose signature is checked. Types that say nothing about the state of
/// a payment are for others.
pub(super) fn webhook(body: &[u8]) -> Result<Webhook, Error> {
    let malformed = |e: serde_json::Error| Error::WebhookMalformed(e.to_string());
    let Event { id, r#type: kind, data } = serde_json::from_slice(body).map_err(malformed)?;
    Webhook::check_id(&id)?;
    let news = match kind.as_str() {
        "payment_intent.amount_capturable_updated"
        | "payment_intent.succeeded"
        | "payment_intent.canceled"
        | "payment_intent.payment_failed" => {
            let intent: Intent = serde_json::from_value(data.object).map_err(malformed)?;
            let payment_id = reference(&intent.metadata);
            intent.charge().ok().map(|charge| News { payment_id, charge })
        }
        "charge.refunded" => {
            let charge: WireCharge = serde_json::from_value(data.object).map_err(malformed)?;
            charge.news()
        }
        _ => None,
    };
    Ok(Webhook { event_id: id, kind, news })
}

impl WireCharge {
    /// A charge copies the metadata of its intent when it is made.
    fn news(self) -> Option<News> {
        let charge = Charge {
            id: self.payment_intent?,
            amount: money(self.amount, &self.currency),
            captured_minor: self.amount_captured.unwrap_or(self.amount),
            refunded_minor: self.amount_refunded,
            state: ChargeState::Captured,
        };
        Some(News { payment_id: reference(&self.metadata), charge })
    }
}

fn reference(metadata: &Metadata) -> Option<Uuid> {
    Uuid::try_parse(metadata.payment_id.as_deref()?).ok()
}

/// Amounts are in the currency's smallest unit, names of currencies in lower case.
fn money(minor: i64, currency: &str) -> Option<Money> {
    Some(Money::new(minor, currency.to_uppercase().parse().ok()?))
}

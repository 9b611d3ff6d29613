//! Requests: their shapes and checks.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::error::ApiError;
use crate::books::Filter;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateCharge {
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) token: String,
    pub(crate) reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refund {
    pub(crate) amount_minor: i64,
    pub(crate) reference: Option<String>,
}

/// No body, or an empty object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    reference: Option<String>,
    /// Seconds since 1970, inclusive.
    created_gte: Option<i64>,
    /// Seconds since 1970, exclusive.
    created_lt: Option<i64>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<u8>,
}

impl List {
    /// What is looked for, and how many of it.
    pub(crate) fn read(self) -> Result<(Filter, i64), ApiError> {
        let Self { reference, created_gte, created_lt, after, limit } = self;
        let time = |seconds: Option<i64>| {
            seconds.map(OffsetDateTime::from_unix_timestamp).transpose().map_err(|_| {
                ApiError::invalid("time_invalid", "created must be seconds since 1970")
            })
        };
        let (from, until) = (time(created_gte)?, time(created_lt)?);
        let limit = limit.unwrap_or(20).clamp(1, 100);
        Ok((Filter { reference, from, until, after }, i64::from(limit)))
    }
}

pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|e| ApiError::invalid("body_invalid", e.to_string()))
}

pub(crate) fn check_amount(amount_minor: i64) -> Result<(), ApiError> {
    if amount_minor > 0 {
        return Ok(());
    }
    Err(ApiError::invalid("amount_invalid", "amount_minor must be more than zero"))
}

pub(crate) fn check_currency(currency: &str) -> Result<(), ApiError> {
    if currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(ApiError::invalid("currency_invalid", "currency must be an ISO 4217 code"))
}

pub(crate) fn check_reference(reference: &str) -> Result<(), ApiError> {
    if (1..=200).contains(&reference.len()) && !reference.contains('\0') {
        return Ok(());
    }
    Err(ApiError::invalid("reference_invalid", "reference must have 1 to 200 characters"))
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<&str, ApiError> {
    let key = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
    if (1..=200).contains(&key.len()) {
        return Ok(key);
    }
    let text = "an Idempotency-Key of 1 to 200 characters is needed";
    Err(ApiError::invalid("idempotency_key_missing", text))
}

/// Tells requests apart that use the same key.
pub(crate) fn fingerprint(route: &str, body: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(route.as_bytes());
    hash.update([0]);
    hash.update(body);
    hash.finalize().to_vec()
}

//! Asking a payment provider over HTTP: patience, measurement, what went wrong.

use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tracing::Instrument;
use tracing::field::Empty;

use crate::core::ports::ProviderError;

const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// Why there can be no client of a provider.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Names the setting.
    #[error("{0} is not a URL")]
    Url(&'static str),
    #[error("{0} is not set")]
    Missing(&'static str),
    #[error("no HTTP client for the payment provider")]
    Client(#[from] reqwest::Error),
}

/// A setting that must be there.
pub(super) fn secret(
    value: &Option<SecretString>,
    name: &'static str,
) -> Result<SecretString, SetupError> {
    value.clone().ok_or(SetupError::Missing(name))
}

/// A client that waits for an answer as long as `patience`.
pub(super) fn client(patience: Duration) -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .timeout(patience)
        // A payment is posted where it was meant to be posted.
        .redirect(reqwest::redirect::Policy::none())
        .build()
}

/// Sends a request; whatever keeps the answer away leaves the outcome unknown.
pub(super) async fn send(
    operation: &'static str,
    request: RequestBuilder,
) -> Result<(StatusCode, Vec<u8>), ProviderError> {
    let started = Instant::now();
    let span = tracing::info_span!(
        "provider",
        otel.name = operation,
        otel.kind = "client",
        otel.status_code = Empty,
        http.response.status_code = Empty,
        error.type = Empty,
    );
    let sending = async {
        let answer = request.send().await?;
        Ok((answer.status(), answer.bytes().await?.to_vec()))
    };
    let answer: Result<_, reqwest::Error> = sending.instrument(span.clone()).await;
    let status = answer.as_ref().map_or(0, |(status, _)| status.as_u16());
    span.record("http.response.status_code", status);
    if !(100..400).contains(&status) {
        telemetry::failed(&span, if status == 0 { "no_answer" } else { "status" });
    }
    let labels = [("operation", operation.to_owned()), ("status", status.to_string())];
    metrics::histogram!("payments_provider_duration_seconds", &labels)
        .record(started.elapsed().as_secs_f64());
    answer.map_err(|error| {
        // The URL says nothing that the operation does not.
        ProviderError::Unknown(format!("{operation}: {}", chain(&error.without_url())))
    })
}

/// An answer that was a success; one that cannot be read leaves the outcome unknown.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body)
        .map_err(|e| ProviderError::Unknown(format!("the answer is not as agreed: {e}")))
}

/// An error with its causes: reqwest's own text leaves them out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

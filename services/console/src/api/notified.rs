//! What Alertmanager told people, where this console is one of those whom it tells
//! (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::door::is_deliberate;

/// How many are remembered.
const MOST: usize = 200;
const TEXT: usize = 500;

/// Something that people were told.
#[derive(Clone, Debug, Serialize)]
pub struct Notice {
    /// Milliseconds since 1970.
    at: u64,
    /// `firing` or `resolved`.
    status: String,
    name: String,
    severity: String,
    summary: String,
}

/// The last of them, newest first.
#[derive(Clone, Default)]
pub struct Notices(Arc<Mutex<VecDeque<Notice>>>);

/// Takes notices in.
pub async fn told(
    State(notices): State<Notices>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_deliberate(&method, &headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let at = (types::now().unix_timestamp_nanos() / 1_000_000) as u64;
    let mut list = notices.0.lock().unwrap_or_else(PoisonError::into_inner);
    for alert in body["alerts"].as_array().into_iter().flatten().take(MOST) {
        let text = |value: &Value| {
            value.as_str().unwrap_or_default().chars().take(TEXT).collect::<String>()
        };
        list.push_front(Notice {
            at,
            status: text(&alert["status"]),
            name: text(&alert["labels"]["alertname"]),
            severity: text(&alert["labels"]["severity"]),
            summary: text(&alert["annotations"]["summary"]),
        });
    }
    list.truncate(MOST);
    StatusCode::OK.into_response()
}

/// What was told.
pub async fn list(State(notices): State<Notices>) -> Response {
    let list = notices.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Json(list).into_response()
}

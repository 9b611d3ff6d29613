//! Small things that every test does with requests and answers.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tonic::{Request, Status};
use tonic_types::StatusExt;

/// A request with an access token.
pub fn bearer<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().expect("a token is ASCII");
    request.metadata_mut().insert("authorization", value);
    request
}

/// The request with an `Idempotency-Key`.
pub fn with_key<T>(mut request: Request<T>, key: &str) -> Request<T> {
    request.metadata_mut().insert("idempotency-key", key.parse().expect("a key is ASCII"));
    request
}

/// The stable reason of a refusal.
pub fn reason(status: &Status) -> String {
    grpc::problem::reason_of(status)
}

/// The fields that a refusal names.
pub fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|b| b.field_violations);
    violations.unwrap_or_default().into_iter().map(|v| v.field).collect()
}

/// No metrics.
pub fn metrics() -> runtime::Metrics {
    Arc::new(String::new)
}

/// Waits until `probe` answers, and fails naming what was expected.
pub async fn eventually<T, F, Fut>(expected: &str, mut probe: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(Instant::now() < deadline, "expected within 15 s: {expected}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

//! Calls to other services: deadline, retries and trace context from the contract.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use proto::policy::{self, MethodPolicy, Retry};
use tonic::Code;
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower::{Service, ServiceExt};

use crate::deadline;
use crate::measure::code_of;

/// A channel to one workload.
#[derive(Clone, Debug)]
pub struct MeshChannel {
    inner: Channel,
}

/// Pauses between tries: long enough for a restart, short beside any deadline.
const BACKOFF: Duration = Duration::from_millis(50);

impl MeshChannel {
    pub(crate) fn new(inner: Channel) -> Self {
        Self { inner }
    }
}

impl Service<Request<Body>> for MeshChannel {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(parent) = telemetry::traceparent()
            && let Ok(parent) = HeaderValue::from_str(&parent)
        {
            request.headers_mut().insert("traceparent", parent);
        }
        // The channel that was polled ready makes the call; its clone is left.
        let clone = self.inner.clone();
        let channel = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let Some(policy) = policy::of(request.uri().path()) else {
                return Channel::oneshot(channel, request).await;
            };
            let started = Instant::now();
            let deadline = deadline::of_call(policy, request.headers());
            let calling = call(channel, request, policy, deadline);
            let answer = tokio::time::timeout(deadline, calling)
                .await
                .unwrap_or_else(|_| Ok(deadline::exceeded()));
            record(policy, &answer, started.elapsed());
            answer
        })
    }
}

async fn call(
    channel: Channel,
    mut request: Request<Body>,
    policy: &'static MethodPolicy,
    deadline: Duration,
) -> Result<Response<Body>, Error> {
    let per_try = policy.retry.map_or(deadline, |r| r.per_try.min(deadline));
    if !policy.server_streaming
        && let Ok(timeout) = HeaderValue::from_str(&format!("{}m", per_try.as_millis()))
    {
        request.headers_mut().insert("grpc-timeout", timeout);
    }
    match policy.retry {
        Some(retry) if !policy.server_streaming => retrying(channel, request, retry).await,
        _ => channel.oneshot(request).await,
    }
}

/// Tries again while the callee cannot be reached. Only idempotent methods have a
/// retry rule; the contract compiler sees to it.
async fn retrying(
    channel: Channel,
    request: Request<Body>,
    retry: Retry,
) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(status) => return Ok(status.into_http()),
    };
    let mut left = retry.attempts;
    loop {
        let body = Body::new(Full::new(body.clone()));
        let again = Request::from_parts(head.clone(), body);
        let trying = channel.clone().oneshot(again);
        let answer = tokio::time::timeout(retry.per_try, trying).await;
        let failed = match &answer {
            Ok(Ok(response)) => code_of(response) == Code::Unavailable,
            _ => true,
        };
        if left == 0 || !failed {
            return answer.unwrap_or_else(|_| Ok(deadline::exceeded()));
        }
        left -= 1;
        tokio::time::sleep(BACKOFF.mul_f64(0.5 + rand::random::<f64>())).await;
    }
}

fn record(policy: &MethodPolicy, answer: &Result<Response<Body>, Error>, took: Duration) {
    let code = answer.as_ref().map_or(Code::Unavailable, code_of);
    let labels = [("rpc_method", policy.path.to_owned()), ("rpc_code", format!("{code:?}"))];
    metrics::histogram!("rpc_client_duration_seconds", &labels).record(took.as_secs_f64());
}

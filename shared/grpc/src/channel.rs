//! Calls to other services: deadline, retries, a circuit breaker and trace context.

mod breaker;
mod outcome;
mod retries;
mod window;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use proto::policy::{self, MethodPolicy};
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tonic::{Code, Status};
use tower::{Service, ServiceExt};
use tracing::{Instrument, Span};

use self::breaker::Breaker;
use self::outcome::Answer;
use self::retries::RetryBudget;
use crate::measure::code_of;
use crate::{Problem, deadline, trace};

/// A channel to one workload.
#[derive(Clone, Debug)]
pub struct MeshChannel {
    inner: Channel,
    callee: Arc<Callee>,
}

/// What all clones of a channel know of its workload.
#[derive(Debug)]
struct Callee {
    workload: &'static str,
    breaker: Breaker,
    budget: RetryBudget,
}

/// Connections on which a request may meet the end of a process, one after the other.
const TRANSPARENT: u32 = 3;

impl MeshChannel {
    pub(crate) fn new(inner: Channel, workload: &'static str) -> Self {
        let (breaker, budget) = (Breaker::new(workload), RetryBudget::new());
        Self { inner, callee: Arc::new(Callee { workload, breaker, budget }) }
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
        // The channel that was polled ready makes the call; its clone is left.
        let clone = self.inner.clone();
        let channel = std::mem::replace(&mut self.inner, clone);
        let callee = Arc::clone(&self.callee);
        let Some(policy) = policy::of(request.uri().path()) else {
            return Box::pin(Channel::oneshot(channel, request));
        };
        let span = trace::client(policy, callee.workload);
        if let Some(parent) = telemetry::traceparent_of(&span)
            && let Ok(parent) = HeaderValue::from_str(&parent)
        {
            request.headers_mut().insert("traceparent", parent);
        }
        let call = async move {
            let started = Instant::now();
            let until = started + deadline::of_call(policy, request.headers());
            let answer = if policy.server_streaming {
                open_stream(channel, &callee, request, until).await
            } else {
                Call { channel, callee: &callee, policy, until }.make(request).await
            };
            record(policy, &callee, &answer, started.elapsed());
            answer
        };
        Box::pin(call.instrument(span))
    }
}

/// A stream is opened once; how long it may then last is up to its server.
async fn open_stream(
    channel: Channel,
    callee: &Callee,
    request: Request<Body>,
    until: Instant,
) -> Answer {
    let pass = match callee.breaker.admit() {
        Ok(pass) => pass,
        Err(after) => return Ok(refusal(callee, after)),
    };
    let answer = tokio::time::timeout_at(until.into(), channel.oneshot(request)).await;
    let answer = answer.unwrap_or_else(|_| Ok(deadline::exceeded()));
    pass.settle(outcome::verdict(&answer, true));
    answer
}

/// A call of a unary method, with all its tries.
struct Call<'a> {
    channel: Channel,
    callee: &'a Callee,
    policy: &'static MethodPolicy,
    until: Instant,
}

impl Call<'_> {
    /// Tries again, within deadline and budget, while the callee cannot be reached or
    /// asks to come back. Only idempotent methods have a retry rule; the contract
    /// compiler sees to it.
    async fn make(self, request: Request<Body>) -> Answer {
        let (head, body) = request.into_parts();
        let body = match tokio::time::timeout_at(self.until.into(), body.collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(status)) => return Ok(status.into_http()),
            Err(_) => return Ok(deadline::exceeded()),
        };
        let request = Request::from_parts(head, body);
        self.callee.budget.deposit();
        let mut answer = match self.attempt(&request).await {
            Ok(answer) => answer,
            Err(after) => return Ok(refusal(self.callee, after)),
        };
        for retry in 0..self.policy.retry.map_or(0, |rule| rule.attempts) {
            let Some(pause) = self.pause(retry, &answer) else { return answer };
            tokio::time::sleep(pause).await;
            // A breaker that has opened meanwhile leaves what the last try said.
            let Ok(next) = self.attempt(&request).await else { return answer };
            let failed = outcome::retry_after(&next).is_some();
            retries::count(self.callee.workload, if failed { "failed" } else { "succeeded" });
            answer = next;
        }
        answer
    }

    /// One try, let through by the breaker. What the callee never saw is no try: the
    /// next connection leads to a process that stays.
    async fn attempt(&self, request: &Request<Bytes>) -> Result<Answer, Duration> {
        let mut answer = self.attempt_once(request).await?;
        for _ in 0..TRANSPARENT {
            if !answer.as_ref().is_err_and(outcome::was_never_seen) {
                break;
            }
            retries::count(self.callee.workload, "transparent");
            answer = self.attempt_once(request).await?;
        }
        Ok(answer)
    }

    async fn attempt_once(&self, request: &Request<Bytes>) -> Result<Answer, Duration> {
        let allowed = self.policy.retry.map_or(self.policy.deadline, |rule| rule.per_try);
        let left = self.until.saturating_duration_since(Instant::now());
        let given = allowed.min(left);
        // A `grpc-timeout` of 0 is none.
        if given.as_millis() == 0 {
            return Ok(Ok(deadline::exceeded()));
        }
        let pass = self.callee.breaker.admit()?;
        let mut request = request.clone().map(|body| Body::new(Full::new(body)));
        if let Ok(timeout) = HeaderValue::from_str(&format!("{}m", given.as_millis())) {
            request.headers_mut().insert("grpc-timeout", timeout);
        }
        let trying = tokio::time::timeout(given, self.channel.clone().oneshot(request));
        let answer = match trying.await {
            Ok(Err(error)) if outcome::was_too_late(&error) => Ok(deadline::exceeded()),
            Ok(answer) => answer,
            Err(_) => Ok(deadline::exceeded()),
        };
        pass.settle(outcome::verdict(&answer, given == allowed));
        Ok(answer)
    }

    /// How long to wait before the nth retry; nothing when none is to be made.
    fn pause(&self, retry: u32, answer: &Answer) -> Option<Duration> {
        let asked = outcome::retry_after(answer)?;
        let pause = retries::pause(retry, asked, rand::random());
        if Instant::now() + pause >= self.until {
            retries::count(self.callee.workload, "no_time");
            return None;
        }
        if !self.callee.budget.withdraw() {
            retries::count(self.callee.workload, "budget_exhausted");
            return None;
        }
        Some(pause)
    }
}

/// The answer in place of a callee that is left alone: the call was not made.
fn refusal(callee: &Callee, after: Duration) -> Response<Body> {
    metrics::counter!("rpc_client_refused_total", "callee" => callee.workload).increment(1);
    let text = format!("{} fails; it is not called for a while", callee.workload);
    Status::from(Problem::circuit_open(text, after)).into_http()
}

fn record(policy: &MethodPolicy, callee: &Callee, answer: &Answer, took: Duration) {
    let code = answer.as_ref().map_or(Code::Unavailable, code_of);
    trace::called(&Span::current(), code);
    let labels = [
        ("rpc_method", policy.name()),
        ("rpc_response_status_code", trace::name(code)),
        ("server_address", callee.workload),
    ];
    metrics::histogram!("rpc_client_call_duration_seconds", &labels).record(took.as_secs_f64());
}

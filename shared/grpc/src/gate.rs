//! The one layer before every handler: load, identity, access, deadline, measurement.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Request, Response};
use proto::policy::{Access, MethodPolicy};
use tonic::body::Body;
use tonic::transport::server::{TcpConnectInfo, TlsConnectInfo};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use crate::access::{self, Rule};
use crate::deadline;
use crate::load::Load;
use crate::measure::Measurement;
use crate::mesh::workload_of;
use crate::{Caller, Peer, Problem, User, Verifier};

/// The longest `Idempotency-Key`, in characters.
const MAX_KEY_LENGTH: usize = 200;

/// Lets in what the contract allows.
#[derive(Clone)]
pub(crate) struct GateLayer {
    pub(crate) verifier: Verifier,
    pub(crate) trust_domain: Arc<str>,
    pub(crate) load: Load,
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { inner, rules: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Gate<S> {
    inner: S,
    rules: GateLayer,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that was polled ready serves; its clone is left.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let rules = self.rules.clone();
        let span = span_of(&request);
        Box::pin(
            async move {
                let measurement = proto::policy::of(request.uri().path()).map(Measurement::start);
                let response = rules.serve(inner, request).await?;
                Ok(match measurement {
                    Some(measurement) => measurement.finish_with(response),
                    None => response,
                })
            }
            .instrument(span),
        )
    }
}

impl GateLayer {
    /// A refusal costs as little as possible: first whether there is a place, then who
    /// calls; no work is begun when it is too late.
    async fn serve<S>(
        &self,
        mut inner: S,
        request: Request<Body>,
    ) -> Result<Response<Body>, S::Error>
    where
        S: Service<Request<Body>, Response = Response<Body>>,
    {
        let arrived = Instant::now();
        let _place = match self.load.enter(request.uri().path()).await {
            Ok(place) => place,
            Err(problem) => return Ok(refuse(problem)),
        };
        match self.admit(request).await {
            Ok((request, Rule::Plumbing)) => inner.call(request).await,
            Ok((request, Rule::Method(policy))) => {
                let until = arrived + deadline::of_request(policy, request.headers());
                deadline::within(until, inner.call(request)).await
            }
            Err(problem) => Ok(refuse(problem)),
        }
    }

    /// Finds out who calls and whether they may.
    async fn admit(&self, mut request: Request<Body>) -> Result<(Request<Body>, Rule), Problem> {
        let peer = self.peer(&request)?;
        let rule = access::rule(request.uri().path())?;
        if let Rule::Method(policy) = rule {
            access::check_peer(policy, &peer)?;
            let user = self.user(policy, request.headers()).await?;
            access::check_user(policy, user.as_ref())?;
            let idempotency_key = key(policy, request.headers())?;
            let sees_all = access::sees_all(policy, user.as_ref());
            request.extensions_mut().insert(Caller { peer, user, sees_all, idempotency_key });
        }
        Ok((request, rule))
    }

    /// TLS has verified the certificate; this reads who it belongs to.
    fn peer(&self, request: &Request<Body>) -> Result<Peer, Problem> {
        let tls = request.extensions().get::<TlsConnectInfo<TcpConnectInfo>>();
        let certificates = tls.and_then(TlsConnectInfo::peer_certs);
        let leaf = certificates.as_ref().and_then(|chain| chain.first());
        let workload = leaf.and_then(|leaf| workload_of(leaf, &self.trust_domain));
        let unknown = || Problem::unauthenticated("PEER_UNKNOWN", "no workload identity");
        Ok(Peer { workload: workload.ok_or_else(unknown)? })
    }

    /// A token that is sent must be valid, also where none is needed.
    async fn user(
        &self,
        policy: &MethodPolicy,
        headers: &HeaderMap,
    ) -> Result<Option<User>, Problem> {
        if policy.access == Access::Internal {
            return Ok(None);
        }
        let Some(value) = headers.get(http::header::AUTHORIZATION) else { return Ok(None) };
        let malformed =
            || Problem::unauthenticated("TOKEN_INVALID", "authorization is not `Bearer <token>`");
        let (scheme, token) =
            value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(malformed());
        }
        self.verifier.verify(token.trim()).await.map(Some)
    }
}

fn refuse(problem: Problem) -> Response<Body> {
    let (code, wait) = (problem.code(), problem.retry_seconds());
    // A log that grows with an overload makes it worse; it is counted.
    if code != Code::ResourceExhausted {
        tracing::info!(rpc.reason = problem.reason(), "refused");
    }
    let mut response = Status::from(problem).into_http();
    // RFC 9110, section 10.2.3: what RetryInfo says, for those who call by REST.
    if let Some(seconds) = wait {
        response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn key(policy: &MethodPolicy, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    if !policy.idempotency_key {
        return Ok(None);
    }
    let value = headers.get("idempotency-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
    match value.len() {
        1..=MAX_KEY_LENGTH => Ok(Some(value.to_owned())),
        0 => {
            let text = "this method needs an Idempotency-Key header";
            Err(Problem::invalid("IDEMPOTENCY_KEY_MISSING", text))
        }
        _ => {
            let text = format!("the Idempotency-Key is longer than {MAX_KEY_LENGTH} characters");
            Err(Problem::invalid("IDEMPOTENCY_KEY_INVALID", text))
        }
    }
}

/// OpenTelemetry's conventions for RPC; the path is bounded by the contract.
fn span_of(request: &Request<Body>) -> Span {
    let path = request.uri().path();
    let span = tracing::info_span!(
        "rpc",
        otel.name = path.trim_start_matches('/'),
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.method = path,
    );
    let parent = request.headers().get("traceparent").and_then(|v| v.to_str().ok());
    if let Some(parent) = parent {
        telemetry::set_parent(&span, parent);
    }
    span
}

//! The one layer before every handler: load, identity, access, deadline, measurement.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http::{HeaderMap, HeaderValue, Request, Response};
use proto::policy::{Access, MethodPolicy};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use crate::access::{self, Rule};
use crate::deadline;
use crate::load::Load;
use crate::measure::Measurement;
use crate::mesh::{Arrival, Domain, Proof, Stranger, forwarded_peer};
use crate::{Caller, Peer, Problem, User, Verifier, trace};

/// The longest `Idempotency-Key`, in characters.
const MAX_KEY_LENGTH: usize = 200;

/// Lets in what the contract allows.
#[derive(Clone)]
pub(crate) struct GateLayer {
    pub(crate) verifier: Verifier,
    pub(crate) domain: Arc<Domain>,
    pub(crate) load: Load,
    /// Paths that are no methods of the contract.
    pub(crate) pages: &'static [&'static str],
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
        let span = trace::server(&request, self.rules.pages);
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
            Ok((request, Rule::Plumbing | Rule::Page)) => inner.call(request).await,
            Ok((request, Rule::Method(policy))) => {
                let until = arrived + deadline::of_request(policy, request.headers());
                deadline::within(until, inner.call(request)).await
            }
            Err(problem) => Ok(refuse(problem)),
        }
    }

    /// Finds out who calls and whether they may.
    async fn admit(&self, mut request: Request<Body>) -> Result<(Request<Body>, Rule), Problem> {
        let peer = match self.peer(&request) {
            Ok(peer) => peer,
            Err(_) if is_probe(&request) => return Ok((request, Rule::Plumbing)),
            Err(stranger) => return Err(unknown(&request, stranger)),
        };
        Span::current().record("rpc.peer", &peer.workload);
        if access::is_page(self.pages, request.uri().path()) {
            access::check_page(&peer)?;
            return Ok((request, Rule::Page));
        }
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

    /// Who calls, as the connection or the sidecar proves.
    fn peer(&self, request: &Request<Body>) -> Result<Peer, Stranger> {
        let arrival = request.extensions().get::<Arrival>();
        match arrival.map_or(&Proof::Nobody, |arrival| &arrival.proof) {
            Proof::Certificate(peer) => peer.clone(),
            Proof::Sidecar => forwarded_peer(request.headers(), &self.domain),
            Proof::Nobody => Err("it does not come from the sidecar"),
        }
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
        let malformed =
            || Problem::unauthenticated("TOKEN_INVALID", "authorization is not `Bearer <token>`");
        let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(None) };
        // Of two, somebody before us may have looked at the other one.
        if values.next().is_some() {
            return Err(malformed());
        }
        let (scheme, token) =
            value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(malformed());
        }
        self.verifier.verify(token.trim()).await.map(Some)
    }
}

/// Whether somebody asks for our health where sidecars do TLS: the kubelet, or the agent
/// in our pod that asks in its place, is no workload.
fn is_probe(request: &Request<Body>) -> bool {
    let proof = request.extensions().get::<Arrival>().map(|arrival| &arrival.proof);
    let in_the_open = matches!(proof, Some(Proof::Sidecar | Proof::Nobody));
    in_the_open && request.uri().path().starts_with("/grpc.health.v1.Health/")
}

fn unknown(request: &Request<Body>, stranger: Stranger) -> Problem {
    let span = Span::current();
    span.record("mesh.stranger", stranger);
    if let Some(arrival) = request.extensions().get::<Arrival>() {
        span.record("mesh.from", tracing::field::display(arrival.from));
    }
    Problem::unauthenticated("PEER_UNKNOWN", "no workload identity")
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

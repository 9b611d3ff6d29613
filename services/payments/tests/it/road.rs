//! The road from payments to the sandbox: a proxy on which things go wrong.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use tokio::sync::watch;

/// What happens on the road.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    Flows,
    /// New charges wait; everything else passes.
    HoldsCharges,
    /// Changes reach the provider; the answers to those that set out now wait until
    /// they are released, whatever the traffic is by then.
    HoldsAnswers,
    /// Changes reach the provider, their answers do not come back.
    LosesAnswers,
    /// Nothing reaches the provider.
    Blocked,
}

#[derive(Clone)]
pub struct Road {
    pub addr: SocketAddr,
    traffic: Arc<watch::Sender<Traffic>>,
    held: Arc<watch::Sender<bool>>,
    target: Arc<watch::Sender<SocketAddr>>,
}

#[derive(Clone)]
struct Proxy {
    target: watch::Receiver<SocketAddr>,
    traffic: watch::Receiver<Traffic>,
    held: watch::Receiver<bool>,
    client: reqwest::Client,
}

impl Road {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (traffic, receiver) = watch::channel(Traffic::Flows);
        let (held, holds) = watch::channel(true);
        let (target, end) = watch::channel(target);
        let client = reqwest::Client::new();
        let proxy = Proxy { target: end, traffic: receiver, held: holds, client };
        let router = Router::new().fallback(forward).with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let (traffic, held) = (Arc::new(traffic), Arc::new(held));
        Self { addr, traffic, held, target: Arc::new(target) }
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
    }

    /// The provider is elsewhere now.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Lets every answer go that is held.
    pub fn release(&self) {
        self.held.send_replace(false);
    }
}

async fn forward(
    State(mut proxy): State<Proxy>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let traffic = *proxy.traffic.borrow();
    if traffic == Traffic::Blocked {
        return (StatusCode::BAD_GATEWAY, Bytes::new());
    }
    let changes = method == Method::POST;
    let charges = ["/v1/charges", "/v1/payment_intents"].contains(&uri.path());
    if changes && charges {
        let flows = proxy.traffic.wait_for(|t| *t != Traffic::HoldsCharges);
        flows.await.expect("the world goes on");
    }
    // The proxy goes on when its client has given up, as networks do.
    let mut held = proxy.held.clone();
    let passing = tokio::spawn(proxy.pass(method, uri, headers, body));
    let answer = passing.await.unwrap();
    if changes && traffic == Traffic::HoldsAnswers {
        held.wait_for(|held| !held).await.expect("the world goes on");
    }
    if changes && traffic == Traffic::LosesAnswers {
        return (StatusCode::BAD_GATEWAY, Bytes::new());
    }
    answer
}

impl Proxy {
    async fn pass(
        self,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, Bytes) {
        let target = *self.target.borrow();
        let mut request = self.client.request(method, format!("http://{target}{uri}"));
        for name in ["authorization", "idempotency-key", "content-type", "stripe-version"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        match request.body(body).send().await {
            Ok(answer) => (answer.status(), answer.bytes().await.unwrap_or_default()),
            // Killed, or not there yet.
            Err(_) => (StatusCode::BAD_GATEWAY, Bytes::new()),
        }
    }
}

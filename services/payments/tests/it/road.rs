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
    /// Changes reach the provider, their answers do not come back.
    LosesAnswers,
    /// Nothing reaches the provider.
    Blocked,
}

#[derive(Clone)]
pub struct Road {
    pub addr: SocketAddr,
    traffic: Arc<watch::Sender<Traffic>>,
}

#[derive(Clone)]
struct Proxy {
    target: SocketAddr,
    traffic: watch::Receiver<Traffic>,
    client: reqwest::Client,
}

impl Road {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (traffic, receiver) = watch::channel(Traffic::Flows);
        let proxy = Proxy { target, traffic: receiver, client: reqwest::Client::new() };
        let router = Router::new().fallback(forward).with_state(proxy);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { addr, traffic: Arc::new(traffic) }
    }

    pub fn set(&self, traffic: Traffic) {
        self.traffic.send_replace(traffic);
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
    if changes && uri.path() == "/v1/charges" {
        let flows = proxy.traffic.wait_for(|t| *t != Traffic::HoldsCharges);
        flows.await.expect("the world goes on");
    }
    // The proxy goes on when its client has given up, as networks do.
    let passing = tokio::spawn(proxy.pass(method, uri, headers, body));
    let answer = passing.await.unwrap();
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
        let mut request = self.client.request(method, format!("http://{}{uri}", self.target));
        for name in ["authorization", "idempotency-key", "content-type"] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.body(body).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap())
    }
}

//! The door for webhooks: what the edge does with them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use grpc::MeshChannel;
use proto::google::api::HttpBody;
use proto::payments::v1::ReceiveWebhookRequest;
use proto::payments::v1::payment_service_client::PaymentServiceClient;
use tonic::{Code, Request, Status};

/// A webhook as it came.
#[derive(Debug, Clone)]
pub struct Letter {
    pub signature: String,
    pub body: Vec<u8>,
}

impl Letter {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Keeps every webhook; passes it on where that is wanted.
#[derive(Clone)]
pub struct Door {
    pub addr: SocketAddr,
    passes_on: bool,
    inner: Arc<OnceLock<PaymentServiceClient<MeshChannel>>>,
    letters: Arc<Mutex<Vec<Letter>>>,
}

impl Door {
    pub async fn open(passes_on: bool) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let door = Self { addr, passes_on, inner: Arc::default(), letters: Arc::default() };
        let router = Router::new().route("/hook", post(receive)).with_state(door.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        door
    }

    pub fn leads_to(&self, payments: PaymentServiceClient<MeshChannel>) {
        self.inner.set(payments).expect("once");
    }

    /// What came so far.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    /// The letter of this type, if it came.
    pub fn letter(&self, kind: &str) -> Option<Letter> {
        self.letters().into_iter().find(|letter| letter.json()["type"] == kind)
    }

    /// Hands a letter to payments.
    pub async fn hand_in(&self, letter: &Letter) -> Result<(), Status> {
        self.hand_in_for("sandbox", letter).await
    }

    pub async fn hand_in_for(&self, provider: &str, letter: &Letter) -> Result<(), Status> {
        let payload = HttpBody {
            content_type: "application/json".to_owned(),
            data: letter.body.clone(),
            extensions: Vec::new(),
        };
        let message =
            ReceiveWebhookRequest { provider: provider.to_owned(), payload: Some(payload) };
        let mut request = Request::new(message);
        if !letter.signature.is_empty() {
            let signature = letter.signature.parse().unwrap();
            let header = if provider == "stripe" { "stripe-signature" } else { "stoa-signature" };
            request.metadata_mut().insert(header, signature);
        }
        let mut payments = self.inner.get().expect("leads somewhere").clone();
        payments.receive_webhook(request).await.map(drop)
    }
}

async fn receive(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["stoa-signature"].to_str().unwrap().to_owned();
    let letter = Letter { signature, body: body.to_vec() };
    door.letters.lock().unwrap().push(letter.clone());
    if !door.passes_on {
        return StatusCode::OK;
    }
    match door.hand_in(&letter).await {
        Ok(()) => StatusCode::OK,
        Err(status) if status.code() == Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

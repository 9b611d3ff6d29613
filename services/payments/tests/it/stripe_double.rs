//! A local server that speaks as Stripe does, and remembers what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    /// Of the body, or of the query.
    pub form: BTreeMap<String, String>,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    pub fn field(&self, name: &str) -> &str {
        self.form.get(name).map(String::as_str).unwrap_or_default()
    }
}

#[derive(Default)]
struct Inner {
    asked: Vec<Asked>,
    intents: BTreeMap<String, Value>,
    /// By idempotency key.
    answers: BTreeMap<String, (StatusCode, Value)>,
    silent: bool,
}

#[derive(Clone)]
pub struct StripeDouble {
    pub addr: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl StripeDouble {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let double = Self { addr, inner: Arc::default() };
        let router = Router::new().fallback(answer).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        double
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.inner.lock().unwrap().asked.clone()
    }

    /// The last thing that was asked at a path that ends like this.
    pub fn asked_at(&self, end: &str) -> Asked {
        let found = self.asked().into_iter().rfind(|asked| asked.path.ends_with(end));
        found.unwrap_or_else(|| panic!("nothing was asked at {end}: {:?}", self.asked()))
    }

    /// From now on changes are made and their answers are lost.
    pub fn lose_answers(&self, silent: bool) {
        self.inner.lock().unwrap().silent = silent;
    }

    /// The only intent there is.
    pub fn intent(&self) -> Value {
        let inner = self.inner.lock().unwrap();
        assert_eq!(inner.intents.len(), 1, "one intent");
        inner.intents.values().next().unwrap().clone()
    }
}

async fn answer(
    State(double): State<StripeDouble>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let text = if body.is_empty() { uri.query().unwrap_or_default().as_bytes() } else { &body };
    let text = std::str::from_utf8(text).unwrap();
    let url = reqwest::Url::parse(&format!("http://form/?{text}")).unwrap();
    let form = url.query_pairs().into_owned().collect();
    let asked = Asked { method, path: uri.path().to_owned(), headers, form };
    let mut inner = double.inner.lock().unwrap();
    inner.asked.push(asked.clone());
    let (status, body) = inner.answer(&asked);
    if inner.silent && asked.method == Method::POST {
        return (StatusCode::BAD_GATEWAY, String::new());
    }
    (status, body.to_string())
}

impl Inner {
    fn answer(&mut self, asked: &Asked) -> (StatusCode, Value) {
        let key = asked.header("idempotency-key").to_owned();
        if let Some(known) = self.answers.get(&key).filter(|_| !key.is_empty()) {
            return known.clone();
        }
        let path: Vec<&str> = asked.path.split('/').skip(2).collect();
        let answer = match path.as_slice() {
            ["payment_intents"] => self.create(asked),
            ["payment_intents", "search"] => self.search(asked),
            ["payment_intents", id, step] => self.step(id, step),
            ["refunds"] => self.refund(asked),
            _ => (StatusCode::NOT_FOUND, json!({"error": {"type": "invalid_request_error"}})),
        };
        if !key.is_empty() {
            self.answers.insert(key, answer.clone());
        }
        answer
    }

    fn create(&mut self, asked: &Asked) -> (StatusCode, Value) {
        let id = format!("pi_{}", self.intents.len() + 1);
        let (status, error) = match asked.field("payment_method") {
            "pm_declined" => {
                let error = json!({"code": "card_declined", "decline_code": "generic_decline"});
                ("requires_payment_method", Some(error))
            }
            "pm_asks" => {
                let error = json!({"code": "authentication_required"});
                ("requires_payment_method", Some(error))
            }
            "pm_unknown" => {
                let error = json!({"error": {"type": "invalid_request_error",
                    "code": "resource_missing", "param": "payment_method"}});
                return (StatusCode::BAD_REQUEST, error);
            }
            _ => ("requires_capture", None),
        };
        let intent = json!({
            "id": id,
            "object": "payment_intent",
            "amount": asked.field("amount").parse::<i64>().unwrap(),
            "currency": asked.field("currency"),
            "status": status,
            "metadata": {"payment_id": asked.field("metadata[payment_id]")},
            "latest_charge": {"id": format!("ch_{id}"), "amount_refunded": 0},
            "last_payment_error": error,
        });
        self.intents.insert(id, intent.clone());
        match error {
            None => (StatusCode::OK, intent),
            Some(mut error) => {
                error["type"] = json!("card_error");
                error["payment_intent"] = intent;
                (StatusCode::PAYMENT_REQUIRED, json!({"error": error}))
            }
        }
    }

    fn step(&mut self, id: &str, step: &str) -> (StatusCode, Value) {
        let Some(intent) = self.intents.get_mut(id) else {
            let error = json!({"type": "invalid_request_error", "code": "resource_missing"});
            return (StatusCode::NOT_FOUND, json!({"error": error}));
        };
        let next = match (intent["status"].as_str().unwrap(), step) {
            ("requires_capture", "capture") => "succeeded",
            ("requires_capture" | "requires_payment_method", "cancel") => "canceled",
            _ => {
                let code = "payment_intent_unexpected_state";
                let error = json!({"type": "invalid_request_error", "code": code});
                return (StatusCode::BAD_REQUEST, json!({"error": error}));
            }
        };
        intent["status"] = json!(next);
        (StatusCode::OK, intent.clone())
    }

    fn refund(&mut self, asked: &Asked) -> (StatusCode, Value) {
        let intent = self.intents.get_mut(asked.field("payment_intent")).unwrap();
        let refunded = intent["latest_charge"]["amount_refunded"].as_i64().unwrap();
        let amount: i64 = asked.field("amount").parse().unwrap();
        if refunded + amount > intent["amount"].as_i64().unwrap() {
            let error = json!({"type": "invalid_request_error", "code": "charge_already_refunded"});
            return (StatusCode::BAD_REQUEST, json!({"error": error}));
        }
        intent["latest_charge"]["amount_refunded"] = json!(refunded + amount);
        (StatusCode::OK, json!({"id": "re_1", "object": "refund", "status": "succeeded"}))
    }

    fn search(&self, asked: &Asked) -> (StatusCode, Value) {
        let query = asked.field("query").to_owned();
        let wanted = |i: &&Value| query.contains(i["metadata"]["payment_id"].as_str().unwrap());
        let data: Vec<&Value> = self.intents.values().filter(wanted).collect();
        (StatusCode::OK, json!({"object": "search_result", "data": data}))
    }
}

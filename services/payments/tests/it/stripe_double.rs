//! A local server that speaks as Stripe does, and remembers what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

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
    refunds: Vec<Value>,
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

    /// The last change that was asked for at a path that ends like this.
    pub fn asked_at(&self, end: &str) -> Asked {
        let changes = |asked: &Asked| asked.method == Method::POST && asked.path.ends_with(end);
        let found = self.asked().into_iter().rfind(changes);
        found.unwrap_or_else(|| panic!("nothing was asked at {end}: {:?}", self.asked()))
    }

    /// From now on changes are made and their answers are lost.
    pub fn lose_answers(&self, silent: bool) {
        self.inner.lock().unwrap().silent = silent;
    }

    /// Every intent, the oldest first.
    pub fn intents(&self) -> Vec<Value> {
        let mut intents: Vec<_> = self.inner.lock().unwrap().intents.values().cloned().collect();
        intents.sort_by_key(number);
        intents
    }

    /// What it tells about a payment now: the event's type and object.
    pub fn news(&self, payment_id: Uuid) -> (&'static str, Value) {
        let mut intents = self.intents().into_iter();
        let found = intents.find(|i| i["metadata"]["payment_id"] == json!(payment_id.to_string()));
        let mut intent = found.expect("an intent of the payment");
        let refunded = intent["latest_charge"]["amount_refunded"].clone();
        // Events do not expand.
        intent["latest_charge"] = intent["latest_charge"]["id"].clone();
        let kind = match intent["status"].as_str().unwrap() {
            "succeeded" if refunded != json!(0) => {
                let charge = json!({"id": intent["latest_charge"], "payment_intent": intent["id"],
                    "amount": intent["amount"], "amount_captured": intent["amount_received"],
                    "amount_refunded": refunded, "currency": intent["currency"],
                    "metadata": intent["metadata"]});
                return ("charge.refunded", charge);
            }
            "succeeded" => "payment_intent.succeeded",
            "canceled" => "payment_intent.canceled",
            "requires_payment_method" => "payment_intent.payment_failed",
            _ => "payment_intent.amount_capturable_updated",
        };
        (kind, intent)
    }

    /// Half an hour ago, EUR 10.00 were set aside for each of these payments, under
    /// each of these ids.
    pub fn put(&self, made: &[(String, String)]) {
        let mut inner = self.inner.lock().unwrap();
        let then = OffsetDateTime::now_utc() - time::Duration::minutes(30);
        for (payment_id, id) in made {
            let mut intent = intent(id, 1_000, "eur", payment_id);
            intent["created"] = json!(then.unix_timestamp());
            inner.intents.insert(id.clone(), intent);
        }
    }

    /// Idempotency keys are forgotten, as after a day.
    pub fn forget_keys(&self) {
        self.inner.lock().unwrap().answers.clear();
    }

    /// Changes an intent behind everybody's back.
    pub fn change(&self, id: &str, field: &str, value: Value) {
        self.inner.lock().unwrap().intents.get_mut(id).expect("the intent")[field] = value;
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
        let reads = asked.method == Method::GET;
        let answer = match path.as_slice() {
            ["payment_intents"] if reads => self.list_intents(asked),
            ["refunds"] if reads => self.list_refunds(asked),
            ["payment_intents"] => self.create(asked),
            ["payment_intents", "search"] => self.search(asked),
            ["payment_intents", id] => match self.intents.get(*id) {
                Some(intent) => (StatusCode::OK, intent.clone()),
                None => (StatusCode::NOT_FOUND, json!({"error": {"code": "resource_missing"}})),
            },
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
        let amount = asked.field("amount").parse().unwrap();
        let payment_id = asked.field("metadata[payment_id]");
        let mut intent = intent(&id, amount, asked.field("currency"), payment_id);
        intent["status"] = json!(status);
        intent["last_payment_error"] = json!(error);
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
        if next == "succeeded" {
            intent["amount_received"] = intent["amount"].clone();
        }
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
        let refund = json!({"id": format!("re_{}", self.refunds.len() + 1), "object": "refund",
            "status": "succeeded", "amount": amount, "payment_intent": intent["id"],
            "created": OffsetDateTime::now_utc().unix_timestamp(),
            "metadata": {"refund_id": asked.field("metadata[refund_id]")}});
        self.refunds.push(refund.clone());
        (StatusCode::OK, refund)
    }

    fn list_intents(&self, asked: &Asked) -> (StatusCode, Value) {
        let mut intents: Vec<Value> = self.intents.values().cloned().collect();
        intents.sort_by_key(number);
        page(intents, asked)
    }

    fn list_refunds(&self, asked: &Asked) -> (StatusCode, Value) {
        let of = asked.field("payment_intent");
        let wanted = |r: &&Value| of.is_empty() || r["payment_intent"] == json!(of);
        let mut refunds: Vec<Value> = self.refunds.iter().filter(wanted).cloned().collect();
        if asked.field("expand[]") == "data.payment_intent.latest_charge" {
            for refund in &mut refunds {
                let id = refund["payment_intent"].as_str().unwrap();
                refund["payment_intent"] = self.intents[id].clone();
            }
        }
        page(refunds, asked)
    }

    fn search(&self, asked: &Asked) -> (StatusCode, Value) {
        let query = asked.field("query").to_owned();
        let wanted = |i: &&Value| query.contains(i["metadata"]["payment_id"].as_str().unwrap());
        let data: Vec<&Value> = self.intents.values().filter(wanted).collect();
        (StatusCode::OK, json!({"object": "search_result", "data": data}))
    }
}

fn intent(id: &str, amount: i64, currency: &str, payment_id: &str) -> Value {
    json!({
        "id": id,
        "object": "payment_intent",
        "amount": amount,
        "amount_received": 0,
        "created": OffsetDateTime::now_utc().unix_timestamp(),
        "currency": currency,
        "status": "requires_capture",
        "metadata": {"payment_id": payment_id},
        "latest_charge": {"id": format!("ch_{id}"), "amount_refunded": 0},
    })
}

/// The newest first, as Stripe lists.
fn page(oldest_first: Vec<Value>, asked: &Asked) -> (StatusCode, Value) {
    let bound = |name: &str| asked.field(name).parse::<i64>().ok();
    let within = |item: &Value| {
        let created = item["created"].as_i64().unwrap();
        bound("created[gte]").is_none_or(|from| created >= from)
            && bound("created[lt]").is_none_or(|until| created < until)
    };
    let mut items: Vec<Value> = oldest_first.into_iter().rev().filter(within).collect();
    if let Some(last) = items.iter().position(|i| i["id"] == json!(asked.field("starting_after"))) {
        items.drain(..=last);
    }
    let limit = asked.field("limit").parse().unwrap_or(10);
    let has_more = items.len() > limit;
    items.truncate(limit);
    (StatusCode::OK, json!({"object": "list", "data": items, "has_more": has_more}))
}

/// Of `pi_12`: 12.
fn number(intent: &Value) -> u32 {
    intent["id"].as_str().unwrap().trim_start_matches("pi_").parse().unwrap()
}

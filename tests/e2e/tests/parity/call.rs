//! Any method by its descriptor, the same request over gRPC and over REST.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::Method;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message;
use serde_json::{Value, json};
use tonic::metadata::MetadataKey;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_types::StatusExt;

use super::world::Situation;
use crate::dynamic::{Raw, parse, show, spread, with_body};

/// What was answered, whichever way it came.
pub type Outcome = Result<Value, Failure>;

/// A `google.rpc.Status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: i64,
    pub reason: String,
    pub message: String,
    /// Field and description.
    pub violations: Vec<(String, String)>,
}

/// Speaks both ways to the edge.
pub struct Caller {
    edge: String,
    http: reqwest::Client,
    channel: Channel,
}

impl Caller {
    pub fn new(edge: &str) -> Self {
        let channel = Endpoint::from_shared(edge.to_owned()).unwrap().connect_lazy();
        Self { edge: edge.to_owned(), http: reqwest::Client::new(), channel }
    }

    pub async fn grpc(&self, method: &Method, situation: &Situation, key: Option<&str>) -> Outcome {
        let message = parse(&method.descriptor.input(), &situation.request);
        let mut request = Request::new(message.encode_to_vec());
        for (name, value) in headers(situation, key) {
            let name = MetadataKey::from_bytes(name.as_bytes()).unwrap();
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path = method.path.parse().unwrap();
        match client.unary(request, path, Raw).await {
            Ok(answer) => {
                let output = method.descriptor.output();
                let message = DynamicMessage::decode(output, answer.get_ref().as_slice()).unwrap();
                Ok(show(&message))
            }
            Err(status) => Err(failure_of(&status)),
        }
    }

    pub async fn rest(&self, method: &Method, situation: &Situation, key: Option<&str>) -> Outcome {
        let request = self.rest_request(method, &situation.request);
        let answer = with_headers(request, situation, key).send().await.expect("the edge answers");
        let status = answer.status();
        let output = method.descriptor.output();
        if status.is_success() && output.full_name() == "google.api.HttpBody" {
            return Ok(show(&parse(&output, &raw(answer).await)));
        }
        let text = answer.text().await.expect("text");
        let body: Value = serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{}: {status}: no JSON: {text}", method.path));
        if status.is_success() {
            // Whatever the contract does not know fails here.
            return Ok(show(&parse(&output, &body)));
        }
        Err(failure_in(&body).unwrap_or_else(|| panic!("{}: {status}: {text}", method.path)))
    }

    /// The request as `google.api.http` spreads it over path, query and body.
    pub fn rest_request(&self, method: &Method, request: &Value) -> reqwest::RequestBuilder {
        let (path, body) = spread(method, request);
        let http = method.http.as_ref().expect("a REST form");
        let verb = http.verb.parse().unwrap();
        let builder = self.http.request(verb, format!("{}{path}", self.edge));
        with_body(builder, body)
    }
}

/// An answer that is no JSON, as gRPC has it.
async fn raw(answer: reqwest::Response) -> Value {
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let data = STANDARD.encode(answer.bytes().await.expect("bytes"));
    json!({"content_type": content_type, "data": data})
}

pub fn with_headers(
    mut request: reqwest::RequestBuilder,
    situation: &Situation,
    key: Option<&str>,
) -> reqwest::RequestBuilder {
    for (name, value) in headers(situation, key) {
        request = request.header(name, value);
    }
    request
}

fn headers(situation: &Situation, key: Option<&str>) -> Vec<(String, String)> {
    let mut headers = situation.headers.clone();
    headers.extend(situation.token.iter().map(|t| ("authorization".into(), format!("Bearer {t}"))));
    headers.extend(key.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
    headers
}

fn failure_of(status: &Status) -> Failure {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|b| b.field_violations.clone()).unwrap_or_default();
    Failure {
        code: i64::from(i32::from(status.code())),
        reason: details.error_info().map(|i| i.reason.clone()).unwrap_or_default(),
        message: status.message().to_owned(),
        violations: violations.into_iter().map(|v| (v.field, v.description)).collect(),
    }
}

/// The `google.rpc.Status` in a body; nothing if it is none.
pub fn failure_in(body: &Value) -> Option<Failure> {
    let details = body["details"].as_array()?;
    let mut failure = Failure {
        code: body["code"].as_i64()?,
        reason: details.iter().find_map(|d| d["reason"].as_str())?.to_owned(),
        message: body["message"].as_str()?.to_owned(),
        violations: Vec::new(),
    };
    for violation in details.iter().filter_map(|d| d["field_violations"].as_array()).flatten() {
        let part = |name: &str| violation[name].as_str().map(str::to_owned);
        failure.violations.push((part("field")?, part("description")?));
    }
    Some(failure)
}

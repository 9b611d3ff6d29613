//! Any method by its descriptor, the same request over gRPC and over REST.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BufMut};
use contract::Method;
use prost_reflect::prost::Message;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use reqwest::header::CONTENT_TYPE;
use serde_json::{Map, Value};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataKey;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_types::StatusExt;

use super::world::Situation;

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
        let text = answer.text().await.expect("text");
        let body: Value = serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("{}: {status}: no JSON: {text}", method.path));
        if status.is_success() {
            // Whatever the contract does not know fails here.
            return Ok(show(&parse(&method.descriptor.output(), &body)));
        }
        Err(failure_in(&body).unwrap_or_else(|| panic!("{}: {status}: {text}", method.path)))
    }

    /// The request as `google.api.http` spreads it over path, query and body.
    pub fn rest_request(&self, method: &Method, request: &Value) -> reqwest::RequestBuilder {
        let (path, body) = spread(method, request);
        let http = method.http.as_ref().expect("a REST form");
        let verb = http.verb.parse().unwrap();
        let builder = self.http.request(verb, format!("{}{path}", self.edge));
        match body {
            None => builder,
            Some(body) if body["data"].is_string() && body["content_type"].is_string() => {
                let raw = STANDARD.decode(body["data"].as_str().unwrap()).unwrap();
                builder.header(CONTENT_TYPE, body["content_type"].as_str().unwrap()).body(raw)
            }
            Some(body) => builder.json(&body),
        }
    }
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

/// Path with query, and body.
pub fn spread(method: &Method, request: &Value) -> (String, Option<Value>) {
    let http = method.http.as_ref().expect("a REST form");
    let mut rest = request.as_object().cloned().unwrap_or_default();
    let mut path = http.template.clone();
    for name in http.variables() {
        let value = rest.remove(name).unwrap_or_default();
        path = path.replace(&format!("{{{name}}}"), &percent(&text(&value)));
    }
    match http.body.as_str() {
        "*" => (path, Some(Value::Object(rest))),
        "" => (with_query(path, &rest), None),
        name => {
            let body = rest.remove(name).unwrap_or_else(|| Value::Object(Map::new()));
            (with_query(path, &rest), Some(body))
        }
    }
}

fn with_query(path: String, rest: &Map<String, Value>) -> String {
    let pairs = rest.iter().flat_map(|(name, value)| match value {
        Value::Array(items) => items.iter().map(|v| pair(name, v)).collect(),
        value => vec![pair(name, value)],
    });
    let query: Vec<String> = pairs.collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn pair(name: &str, value: &Value) -> String {
    format!("{name}={}", percent(&text(value)))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn percent(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(one).collect()
}

fn parse(descriptor: &MessageDescriptor, value: &Value) -> DynamicMessage {
    let strictly = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor.clone(), value, &strictly)
        .unwrap_or_else(|e| panic!("{}: {e}: {value}", descriptor.full_name()))
}

/// One form for both ways.
fn show(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new().skip_default_fields(false).use_proto_field_name(true);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
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

/// Bytes as they are: the messages are encoded by their descriptors.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}

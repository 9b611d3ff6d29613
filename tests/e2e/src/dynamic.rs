//! Any method by its descriptor: over gRPC through any channel, and over REST.
//!
//! Messages are proto JSON with the contract's names on the way in, and what came
//! back is told whole: refusals, the edge's own answers and broken connections too.

mod codec;
mod spread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::Method;
use futures::StreamExt;
use prost_reflect::prost::Message;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor, SerializeOptions};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tonic::metadata::MetadataKey;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

pub use codec::Raw;
pub use spread::{percent, spread};

/// One call of a method.
pub struct Call<'a> {
    pub method: &'a Method,
    /// The whole request.
    pub request: &'a Value,
    pub token: Option<&'a str>,
    pub idempotency_key: Option<&'a str>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Over REST as in the body's `google.rpc.Status`; `Unknown` where there is none.
    pub code: Code,
    /// REST only.
    pub http: Option<u16>,
    /// `ErrorInfo.reason`, empty where there is none.
    pub reason: String,
    pub message: String,
    /// The answer of a success, of a stream its first message.
    pub body: Value,
    /// No RPC was made: there is no connection.
    pub unconnected: bool,
}

/// Over gRPC, through the edge or straight to a service.
pub async fn grpc(channel: &Channel, call: &Call<'_>) -> Answer {
    let message = parse(&call.method.descriptor.input(), call.request);
    let mut request = tonic::Request::new(message.encode_to_vec());
    for (name, value) in headers(call) {
        let name = MetadataKey::from_bytes(name.as_bytes()).unwrap();
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    let path = call.method.path.parse().unwrap();
    let mut client = tonic::client::Grpc::new(channel.clone());
    if let Err(error) = client.ready().await {
        return Answer { unconnected: true, ..answer(Code::Unavailable, "", &error.to_string()) };
    }
    // A method with one answer is a stream of one: both are read alike.
    let first = match client.server_streaming(request, path, Raw).await {
        Ok(stream) => stream.into_inner().message().await,
        Err(status) => Err(status),
    };
    match first {
        Ok(Some(bytes)) => {
            let output = call.method.descriptor.output();
            let message = DynamicMessage::decode(output, bytes.as_slice()).unwrap();
            Answer { body: show(&message), ..answer(Code::Ok, "", "") }
        }
        Ok(None) => answer(Code::Internal, "", "neither an answer nor a status"),
        Err(status) => failure(&status),
    }
}

/// Over REST through the edge at `edge`.
pub async fn rest(http: &reqwest::Client, edge: &str, call: &Call<'_>) -> Answer {
    let rule = call.method.http.as_ref().expect("a REST form");
    let (path, body) = spread(call.method, call.request);
    let mut request = http.request(rule.verb.parse().unwrap(), format!("{edge}{path}"));
    for (name, value) in headers(call) {
        request = request.header(name, value);
    }
    told(with_body(request, body), call.method.descriptor.is_server_streaming()).await
}

/// The body of a REST request, where it has one.
pub fn with_body(request: RequestBuilder, body: Option<Value>) -> RequestBuilder {
    match body {
        None => request,
        // `google.api.HttpBody`: the body as it is.
        Some(body) if body["data"].is_string() && body["content_type"].is_string() => {
            let raw = STANDARD.decode(body["data"].as_str().unwrap()).unwrap();
            request.header(CONTENT_TYPE, body["content_type"].as_str().unwrap()).body(raw)
        }
        Some(body) => request.json(&body),
    }
}

/// Sends a request and tells what came back; of a stream its first line.
pub async fn told(request: RequestBuilder, stream: bool) -> Answer {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => {
            let told = answer(Code::Unavailable, "", &error.to_string());
            return Answer { unconnected: true, ..told };
        }
    };
    let status = response.status();
    let text = if stream && status.is_success() {
        let first = response.bytes_stream().next().await;
        first.map(|chunk| String::from_utf8_lossy(&chunk.unwrap()).into_owned()).unwrap_or_default()
    } else {
        response.text().await.expect("text")
    };
    let line = if stream { text.lines().next().unwrap_or_default() } else { &text };
    let body: Value = serde_json::from_str(line).unwrap_or(Value::Null);
    let http = Some(status.as_u16());
    if status.is_success() {
        return Answer { http, body, ..answer(Code::Ok, "", "") };
    }
    match status_in(&body) {
        Some((code, reason, message)) => Answer { http, ..answer(code, reason, message) },
        None => Answer { http, ..answer(Code::Unknown, "", &text) },
    }
}

fn headers(call: &Call<'_>) -> Vec<(&'static str, String)> {
    let token = call.token.map(|token| ("authorization", format!("Bearer {token}")));
    let key = call.idempotency_key.map(|key| ("idempotency-key", key.to_owned()));
    token.into_iter().chain(key).collect()
}

/// Code, reason and message of a `google.rpc.Status` in JSON.
fn status_in(body: &Value) -> Option<(Code, &str, &str)> {
    let code = Code::from_i32(i32::try_from(body["code"].as_i64()?).ok()?);
    let details = body["details"].as_array()?;
    let reason = details.iter().find_map(|d| d["reason"].as_str()).unwrap_or_default();
    Some((code, reason, body["message"].as_str()?))
}

fn failure(status: &Status) -> Answer {
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone()).unwrap_or_default();
    // A status that was made here, not received, has the broken connection as its source.
    let unconnected = std::error::Error::source(status).is_some();
    Answer { unconnected, ..answer(status.code(), &reason, status.message()) }
}

fn answer(code: Code, reason: &str, message: &str) -> Answer {
    let (reason, message) = (reason.to_owned(), message.to_owned());
    Answer { code, http: None, reason, message, body: Value::Null, unconnected: false }
}

/// A message from proto JSON; fails on whatever the contract does not know.
pub fn parse(descriptor: &MessageDescriptor, value: &Value) -> DynamicMessage {
    let strictly = DeserializeOptions::new().deny_unknown_fields(true);
    DynamicMessage::deserialize_with_options(descriptor.clone(), value, &strictly)
        .unwrap_or_else(|e| panic!("{}: {e}: {value}", descriptor.full_name()))
}

/// As the edge shows it: every scalar, also when it is 0 or empty.
pub fn show(message: &DynamicMessage) -> Value {
    let options = SerializeOptions::new().skip_default_fields(false).use_proto_field_name(true);
    message.serialize_with_options(serde_json::value::Serializer, &options).unwrap()
}

//! REST requests that do not say plainly what they mean, from the contract's shapes.

use contract::Method;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use reqwest::RequestBuilder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Map, Value, json};

use super::broken::put;
use super::call::Caller;
use crate::dynamic::spread;

/// A request that must be refused.
pub struct Case {
    pub what: String,
    pub request: RequestBuilder,
    pub expected: Expected,
}

/// The answer.
#[derive(Clone, Copy)]
pub struct Expected {
    pub status: u16,
    /// Absent: whatever.
    pub reason: Option<&'static str>,
}

const MALFORMED: Expected = Expected { status: 400, reason: None };
const TOO_LARGE: Expected = Expected { status: 413, reason: Some("BODY_TOO_LARGE") };
const WRONG_TYPE: Expected = refusal(415, "UNSUPPORTED_MEDIA_TYPE");

const fn refusal(status: u16, reason: &'static str) -> Expected {
    Expected { status, reason: Some(reason) }
}

/// Media types that are not JSON in UTF-8, or not surely.
const TYPES: [&str; 8] = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/problem+json",
    "application/merge-patch+json",
    "application/json; charset=iso-8859-1",
    "application/grpc-web+json",
    "application/x-protobuf",
];

/// The same request with the names of fields in camelCase, in body and query.
pub fn in_camel_case(caller: &Caller, method: &Method, request: &Value) -> RequestBuilder {
    let (target, body) = target(caller, method, request);
    let (path, query) = target.url.split_once('?').unwrap_or((&target.url, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        format!("{}={value}", camel(name))
    });
    let url = format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"));
    let target = Target { url, ..target };
    match body {
        None => target.plain(),
        Some(_) if is_raw(method) => caller.rest_request(method, request),
        Some(body) => target.json(&renamed(&body).to_string()),
    }
}

fn renamed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(k, v)| (camel(k), renamed(v))).collect())
        }
        Value::Array(items) => items.iter().map(renamed).collect(),
        other => other.clone(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}

/// Everything that must be refused for one method.
pub fn all(caller: &Caller, method: &Method, request: &Value) -> Vec<Case> {
    let (target, body) = target(caller, method, request);
    let mut cases = Cases { target, list: Vec::new() };
    cases.queries(method);
    let large = method.policy.max_body_bytes.unwrap_or(64 * 1024) + 1;
    let large = " ".repeat(usize::try_from(large).unwrap());
    match body {
        None => {
            let plain = cases.target.json("{}");
            cases.add("a body", plain, refusal(400, "BODY_UNEXPECTED"));
        }
        Some(_) if is_raw(method) => {}
        Some(body) => cases.bodies(method, &body),
    }
    let large = cases.target.json(&format!("{{}}{large}"));
    cases.add("a body that is too large", large, TOO_LARGE);
    cases.list
}

fn is_raw(method: &Method) -> bool {
    body_message(method).is_some_and(|body| body.full_name() == "google.api.HttpBody")
}

fn body_message(method: &Method) -> Option<MessageDescriptor> {
    let (input, http) = (method.descriptor.input(), method.http.as_ref()?);
    match http.body.as_str() {
        "" => None,
        "*" => Some(input),
        name => match input.get_field_by_name(name)?.kind() {
            Kind::Message(body) => Some(body),
            _ => None,
        },
    }
}

/// Where a request goes.
#[derive(Clone)]
struct Target {
    http: reqwest::Client,
    verb: reqwest::Method,
    url: String,
}

fn target(caller: &Caller, method: &Method, request: &Value) -> (Target, Option<Value>) {
    let built = caller.rest_request(method, request).build().unwrap();
    let (verb, url) = (built.method().clone(), built.url().to_string());
    (Target { http: reqwest::Client::new(), verb, url }, spread(method, request).1)
}

impl Target {
    fn plain(&self) -> RequestBuilder {
        self.http.request(self.verb.clone(), &self.url)
    }

    fn json(&self, body: &str) -> RequestBuilder {
        self.plain().header(CONTENT_TYPE, "application/json").body(body.to_owned())
    }

    fn with(&self, parameters: &str) -> Self {
        let joint = if self.url.contains('?') { '&' } else { '?' };
        Self { url: format!("{}{joint}{parameters}", self.url), ..self.clone() }
    }
}

struct Cases {
    target: Target,
    list: Vec<Case>,
}

impl Cases {
    fn add(&mut self, what: impl Into<String>, request: RequestBuilder, expected: Expected) {
        self.list.push(Case { what: what.into(), request, expected });
    }

    fn query(&mut self, parameters: &str, expected: Expected, has_body: bool) {
        let target = self.target.with(parameters);
        let request = if has_body { target.json("{}") } else { target.plain() };
        self.add(format!("?{parameters}"), request, expected);
    }

    fn queries(&mut self, method: &Method) {
        let http = method.http.as_ref().expect("a REST form");
        let has_body = !http.body.is_empty();
        self.query("colour=red", MALFORMED, has_body);
        let in_path: Vec<&str> = http.variables().collect();
        for field in method.descriptor.input().fields().filter(|field| !field.is_list()) {
            let (name, json) = (field.name(), field.json_name());
            if in_path.contains(&name) || http.body == "*" {
                let odd = format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
                for name in [name, json, &odd] {
                    let expected = refusal(400, "PARAMETER_MISPLACED");
                    self.query(&format!("{name}=1"), expected, has_body);
                }
            } else if http.body != name {
                let expected = refusal(400, "PARAMETER_DUPLICATE");
                self.query(&format!("{name}=1&{json}=1"), expected, has_body);
                if !matches!(field.kind(), Kind::String | Kind::Message(_)) {
                    self.query(&format!("{name}=many"), MALFORMED, has_body);
                }
            }
        }
    }

    fn bodies(&mut self, method: &Method, body: &Value) {
        self.texts(method);
        self.types(body);
        let message = body_message(method).expect("a body");
        let in_path = method.path_fields().unwrap();
        let mut ways = Vec::new();
        fields_of(&message, &[], &mut ways);
        ways.retain(|(way, field)| way.len() > 1 || !in_path.contains(field));
        let full = filled(body, &ways);
        self.unknown_fields(&full, &ways);
        self.duplicates(&full, &ways);
        for (way, field) in &ways {
            for value in misfits(field) {
                let mut body = full.clone();
                let what = format!("{} is {value}", way.join("."));
                put(&mut body, way, Some(value));
                let request = self.target.json(&body.to_string());
                self.add(what, request, refusal(400, "FIELD_MALFORMED"));
            }
        }
    }

    /// Text that is no JSON object.
    fn texts(&mut self, method: &Method) {
        let deep = format!("{{\"a\":{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let bom = "\u{feff}{}";
        for text in ["{", "null", "[]", "7", "\"{}\"", "{}{}", "{'a':1}", "{\"a\":NaN}", bom, &deep]
        {
            let request = self.target.json(text);
            self.add(format!("the body {text:.12}"), request, refusal(400, "REQUEST_MALFORMED"));
        }
        let bytes = self.target.json("").body(&b"{\"\xff\":1}"[..]);
        self.add("a body that is no UTF-8", bytes, refusal(400, "REQUEST_MALFORMED"));
        // Where the path says it all, a body may be left out.
        let parts = method.descriptor.input().fields().len();
        if method.http.as_ref().is_some_and(|http| http.variables().count() < parts) {
            let (empty, none) = (self.target.json(""), self.target.plain());
            self.add("an empty body", empty, refusal(400, "BODY_MISSING"));
            self.add("no body", none, refusal(400, "BODY_MISSING"));
        }
    }

    fn types(&mut self, body: &Value) {
        for kind in TYPES {
            let request = self.target.plain().header(CONTENT_TYPE, kind).body(body.to_string());
            self.add(format!("the content type {kind}"), request, WRONG_TYPE);
        }
        let none = self.target.plain().body(body.to_string());
        self.add("no content type", none, WRONG_TYPE);
        let packed = self.target.json(&body.to_string()).header(CONTENT_ENCODING, "gzip");
        self.add("a content encoding", packed, WRONG_TYPE);
    }

    fn unknown_fields(&mut self, full: &Value, ways: &[(Vec<String>, FieldDescriptor)]) {
        let inside = ways.iter().filter(|(_, field)| inner(field).is_some()).map(|(way, _)| way);
        for way in std::iter::once(&Vec::new()).chain(inside) {
            let way: Vec<String> = way.iter().cloned().chain(["colour".to_owned()]).collect();
            let mut body = full.clone();
            put(&mut body, &way, Some(json!(null)));
            let request = self.target.json(&body.to_string());
            self.add(format!("unknown {}", way.join(".")), request, refusal(400, "FIELD_UNKNOWN"));
        }
    }

    /// Every field twice: by its name, and by its other name.
    fn duplicates(&mut self, full: &Value, ways: &[(Vec<String>, FieldDescriptor)]) {
        for (way, field) in ways {
            for again in [field.name(), field.json_name()] {
                let mut body = full.clone();
                // `put` cannot say a name twice: a mark is put and then written over.
                let mut mark = way.clone();
                *mark.last_mut().expect("a field") = "MARK".to_owned();
                let value = way.iter().fold(full, |value, name| &value[name]).clone();
                put(&mut body, &mark, Some(value));
                let text = body.to_string().replace("\"MARK\"", &format!("\"{again}\""));
                let what = format!("{} and {again}", way.join("."));
                let request = self.target.json(&text);
                self.add(what, request, refusal(400, "FIELD_DUPLICATE"));
            }
        }
    }
}

/// Every field of a body, and the way to it.
fn fields_of(
    message: &MessageDescriptor,
    way: &[String],
    found: &mut Vec<(Vec<String>, FieldDescriptor)>,
) {
    for field in message.fields() {
        let way: Vec<String> = way.iter().cloned().chain([field.name().to_owned()]).collect();
        found.push((way.clone(), field.clone()));
        if let Some(inner) = inner(&field) {
            fields_of(&inner, &way, found);
        }
    }
}

/// The message of a field that is an object in JSON.
fn inner(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(inner) if !field.is_list() && inner.package_name() != "google.protobuf" => {
            Some(inner)
        }
        _ => None,
    }
}

/// The body with every field in it.
fn filled(body: &Value, ways: &[(Vec<String>, FieldDescriptor)]) -> Value {
    let mut full = body.clone();
    for (way, field) in ways {
        if way.iter().try_fold(&full, |value, name| value.get(name)).is_none() {
            let empty = match inner(field) {
                Some(_) => Value::Object(Map::new()),
                None => Value::Null,
            };
            put(&mut full, way, Some(empty));
        }
    }
    full
}

/// JSON that a field cannot hold.
fn misfits(field: &FieldDescriptor) -> Vec<Value> {
    if field.is_list() {
        return vec![json!("text"), json!({}), json!([null]), json!([[]])];
    }
    match field.kind() {
        Kind::String | Kind::Bytes => vec![json!(7), json!(true), json!([]), json!({})],
        Kind::Bool => vec![json!("true"), json!(1), json!([])],
        Kind::Enum(_) => vec![json!("NOPE"), json!(true), json!(1.5)],
        Kind::Float | Kind::Double => vec![json!("many"), json!(true), json!([])],
        Kind::Message(inner) if inner.package_name() == "google.protobuf" => {
            vec![json!(7), json!(true), json!([])]
        }
        Kind::Message(_) => vec![json!("text"), json!(7), json!([])],
        _ => vec![json!("many"), json!(1.5), json!(1e99), json!(true), json!([]), json!({})],
    }
}

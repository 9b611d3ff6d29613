//! One operation: a method as REST clients see it.

use anyhow::Result;
use heck::ToLowerCamelCase;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::errors::Responses;
use super::schemas::{Schemas, Side};
use super::{fields, parameters};
use crate::comments;
use crate::model::{Contract, HttpRule, Method, Service};
use crate::sample;

const RAW: &str = "google.api.HttpBody";
const JSON: &str = "application/json";

pub(super) fn of(
    contract: &Contract,
    service: &Service,
    method: &Method,
    schemas: &mut Schemas,
    responses: &mut Responses,
) -> Result<Value> {
    let text = comments::of_method(&method.descriptor);
    let mut operation = json!({
        "operationId": method.name().to_lower_camel_case(),
        "tags": [service.workload],
        "summary": comments::first_sentence(&text),
        "description": format!("{text}\n\n{}", in_words(contract, method)),
    });
    let parameters = parameters::of(method, schemas)?;
    if !parameters.is_empty() {
        operation["parameters"] = json!(parameters);
    }
    if let Some(http) = method.http.as_ref().filter(|http| !http.body.is_empty()) {
        operation["requestBody"] = body(method, http, schemas)?;
    }
    let mut answers = Map::new();
    answers.insert("200".to_owned(), success(method, schemas)?);
    answers.extend(responses.of(method));
    operation["responses"] = Value::Object(answers);
    operation["security"] = security(method);
    if let Value::Object(fields) = &mut operation {
        fields.extend(law(contract, method));
    }
    Ok(operation)
}

/// A token that is sent must be valid, also where none is needed.
fn security(method: &Method) -> Value {
    match method.policy.access.needs_user() {
        true => json!([{"bearer": []}]),
        false => json!([{}, {"bearer": []}]),
    }
}

/// The law of a method, for people.
fn in_words(contract: &Contract, method: &Method) -> String {
    let policy = &method.policy;
    let who = match &policy.access.permission {
        Some(permission) => {
            format!("Permission `{permission}`: {}.", contract.holders(permission).join(", "))
        }
        None if policy.access.needs_user() => "For everybody who is signed in.".to_owned(),
        None => "For everybody.".to_owned(),
    };
    let seconds = f64::from(policy.deadline_ms) / 1000.0;
    let rate = policy.rate.as_ref().map_or_else(String::new, |rate| {
        format!(" At most {} a minute, {} at once.", rate.per_minute, rate.burst)
    });
    format!("{who} Answers within {seconds} s.{rate}")
}

/// What the contract says that OpenAPI has no words for.
fn law(contract: &Contract, method: &Method) -> Map<String, Value> {
    let policy = &method.policy;
    let mut law = Map::new();
    let mut put = |key: &str, value: Value| law.insert(format!("x-stoa-{key}"), value);
    put("method", json!(method.path));
    if let Some(permission) = &policy.access.permission {
        put("permission", json!(permission));
        put("roles", json!(contract.holders(permission)));
    }
    put("stream", json!(method.descriptor.is_server_streaming()));
    put("deadline-ms", json!(policy.deadline_ms));
    put("idempotent", json!(method.idempotent || policy.idempotency_key));
    if let Some(rate) = &policy.rate {
        put("rate", json!({"per-minute": rate.per_minute, "burst": rate.burst}));
    }
    if let Some(slo) = &policy.slo {
        let percent = f64::from(slo.availability_bp) / 100.0;
        put("slo", json!({"availability-percent": percent, "latency-ms": slo.latency_ms}));
    }
    if let Some(bytes) = policy.max_body_bytes {
        put("max-body-bytes", json!(bytes));
    }
    law
}

fn body(method: &Method, http: &HttpRule, schemas: &mut Schemas) -> Result<Value> {
    let input = method.descriptor.input();
    if http.body != "*" {
        let field = input.get_field_by_name(&http.body);
        return field.map_or(Ok(json!({})), |field| body_of_field(&field, schemas));
    }
    let elsewhere: Vec<String> = http.variables().map(str::to_owned).collect();
    let schema = schemas.of_body(&input, &elsewhere)?;
    let mut example = example(&input)?;
    let mut required = false;
    for field in input.fields().filter(|f| !elsewhere.iter().any(|e| e == f.name())) {
        required |= fields::is_required(&field)?;
    }
    if let Value::Object(fields) = &mut example {
        fields.retain(|name, _| !elsewhere.contains(name));
    }
    Ok(json!({
        "required": required,
        "content": {JSON: {"schema": schema, "example": example}},
    }))
}

fn body_of_field(field: &FieldDescriptor, schemas: &mut Schemas) -> Result<Value> {
    let description = comments::of_field(field);
    let content = match field.kind() {
        Kind::Message(message) if message.full_name() == RAW => json!({"schema": {}}),
        Kind::Message(message) => json!({
            "schema": schemas.of_message(&message, Side::Request)?,
            "example": example(&message)?,
        }),
        _ => json!({"schema": fields::schema(field, Side::Request, schemas)?}),
    };
    Ok(json!({"description": description, "required": true, "content": {JSON: content}}))
}

/// A sample without what the server sets.
fn example(message: &MessageDescriptor) -> Result<Value> {
    let mut sample = sample::message(message)?;
    if let Value::Object(values) = &mut sample {
        for field in message.fields().filter(fields::is_set_by_server) {
            values.remove(field.name());
        }
    }
    Ok(sample)
}

fn success(method: &Method, schemas: &mut Schemas) -> Result<Value> {
    let output = method.descriptor.output();
    let request_id = json!({"x-request-id": {"$ref": "#/components/headers/RequestId"}});
    if output.full_name() == RAW {
        let content = json!({"*/*": {}});
        return Ok(json!({"description": "Done.", "headers": request_id, "content": content}));
    }
    let text = comments::of_message(&output);
    let ours = output.full_name().starts_with("stoa.");
    let stream = method.descriptor.is_server_streaming();
    let mut description = if ours { text } else { "Done.".to_owned() };
    if stream {
        description.push_str(" One JSON object a line.");
    }
    let schema = schemas.of_message(&output, Side::Response)?;
    let mut content = json!({"schema": schema});
    // A line of a stream is not the whole of it.
    if !stream {
        content["example"] = sample::message(&output)?;
    }
    Ok(json!({"description": description, "headers": request_id, "content": {JSON: content}}))
}

//! What stands in the path, the query and the headers of a request.

use anyhow::Result;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::fields;
use super::schemas::{Schemas, Side, well_known};
use crate::comments;
use crate::constraints::Constraints;
use crate::model::Method;

/// All parameters of a method, in the order of path, query, headers.
pub(super) fn of(method: &Method, schemas: &mut Schemas) -> Result<Vec<Value>> {
    let mut parameters = Vec::new();
    for field in method.path_fields()? {
        parameters.push(parameter("path", field.name(), &field, schemas)?);
    }
    for (name, field) in query(method)? {
        parameters.push(parameter("query", &name, &field, schemas)?);
    }
    if method.policy.idempotency_key {
        parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
    }
    Ok(parameters)
}

/// Parameters that several operations take.
pub(super) fn shared() -> Value {
    json!({"IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": true,
        "description": "A value of the caller's choice, new for each thing that is to happen. \
            The same key with the same request answers the same result again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
        "example": "5f0c4f0e-6f6b-4f4a-9a39-2c7e0f6f3d10",
    }})
}

/// What the transcoder takes from the query: fields that stand neither in the path
/// nor in the body, those of messages by dotted names.
fn query(method: &Method) -> Result<Vec<(String, FieldDescriptor)>> {
    let Some(http) = &method.http else { return Ok(Vec::new()) };
    if http.body == "*" {
        return Ok(Vec::new());
    }
    let in_path: Vec<&str> = http.variables().collect();
    let elsewhere = |f: &FieldDescriptor| in_path.contains(&f.name()) || f.name() == http.body;
    let mut found = Vec::new();
    for field in method.descriptor.input().fields().filter(|f| !elsewhere(f)) {
        walk(field.name().to_owned(), &field, &mut found);
    }
    Ok(found)
}

fn walk(name: String, field: &FieldDescriptor, found: &mut Vec<(String, FieldDescriptor)>) {
    match field.kind() {
        Kind::Message(message) if is_nested(&message) => {
            for inner in message.fields() {
                walk(format!("{name}.{}", inner.name()), &inner, found);
            }
        }
        _ => found.push((name, field.clone())),
    }
}

fn is_nested(message: &MessageDescriptor) -> bool {
    well_known(message.full_name()).is_none()
}

fn parameter(
    place: &str,
    name: &str,
    field: &FieldDescriptor,
    schemas: &mut Schemas,
) -> Result<Value> {
    let mut schema = fields::schema(field, Side::Request, schemas)?;
    let constraints = Constraints::of(field)?;
    if matches!(field.kind(), Kind::Int64 | Kind::Uint64) && !field.is_list() {
        // Nothing is quoted in a query.
        schema = fields::integer("int64", &constraints);
    }
    if let Value::Object(schema) = &mut schema {
        schema.remove("description");
        schema.remove("readOnly");
    }
    let mut parameter = json!({"name": name, "in": place});
    if place == "path" || fields::is_required(field)? {
        parameter["required"] = json!(true);
    }
    parameter["description"] = json!(comments::of_field(field));
    parameter["schema"] = schema;
    Ok(parameter)
}

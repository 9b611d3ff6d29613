//! The schema of a field: its type, its constraints, its comment.

use anyhow::Result;
use prost_reflect::{FieldDescriptor, Kind};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::schemas::{Schemas, Side};
use crate::comments;
use crate::constraints::Constraints;
use crate::model::extension;

/// The schema of a field in a JSON body.
pub(super) fn schema(field: &FieldDescriptor, side: Side, schemas: &mut Schemas) -> Result<Value> {
    let constraints = Constraints::of(field)?;
    let mut schema = value_or_list(field, &constraints, side, schemas)?;
    let description = comments::of_field(field);
    if !description.is_empty() {
        let more = bounds_in_words(field, &constraints);
        schema.insert("description".to_owned(), json!(format!("{description}{more}")));
    }
    if side == Side::Request && is_set_by_server(field) {
        schema.insert("readOnly".to_owned(), json!(true));
    }
    if let Some(sensitivity) = sensitivity(field)? {
        schema.insert("x-stoa-sensitivity".to_owned(), json!(sensitivity));
    }
    Ok(Value::Object(schema))
}

fn value_or_list(
    field: &FieldDescriptor,
    constraints: &Constraints,
    side: Side,
    schemas: &mut Schemas,
) -> Result<Map<String, Value>> {
    if !field.is_list() {
        return value(field, constraints, side, schemas);
    }
    let of_items = constraints.items.as_deref().cloned().unwrap_or_default();
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("array"));
    let items = value(field, &of_items, side, schemas)?;
    schema.insert("items".to_owned(), Value::Object(items));
    put(&mut schema, "minItems", constraints.min_items.filter(|n| *n > 0));
    put(&mut schema, "maxItems", constraints.max_items);
    put(&mut schema, "uniqueItems", constraints.unique.then_some(true));
    Ok(schema)
}

fn value(
    field: &FieldDescriptor,
    constraints: &Constraints,
    side: Side,
    schemas: &mut Schemas,
) -> Result<Map<String, Value>> {
    let schema = match field.kind() {
        Kind::Message(message) => schemas.of_message(&message, side)?,
        Kind::Enum(descriptor) => schemas.of_enum(&descriptor)?,
        Kind::String => text(constraints),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
            integer("int32", constraints)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
            long(constraints)
        }
        Kind::Float | Kind::Double => json!({"type": "number"}),
        Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
    };
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    put(&mut schema, "examples", constraints.example.clone().map(|e| json!([e])));
    Ok(schema)
}

fn text(constraints: &Constraints) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("string"));
    let formats = [(constraints.email, "email"), (constraints.uuid, "uuid")];
    let format = formats.into_iter().find(|(is, _)| *is).map(|(_, format)| format);
    put(&mut schema, "format", format);
    put(&mut schema, "minLength", constraints.min_len.filter(|n| *n > 0));
    put(&mut schema, "maxLength", constraints.max_len);
    put(&mut schema, "pattern", constraints.pattern.as_deref());
    Value::Object(schema)
}

/// A number in JSON, and in a query whatever its size.
pub(super) fn integer(format: &str, constraints: &Constraints) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("integer"));
    schema.insert("format".to_owned(), json!(format));
    put(&mut schema, "minimum", constraints.gte);
    put(&mut schema, "maximum", constraints.lte);
    if !constraints.not_in.is_empty() {
        schema.insert("not".to_owned(), json!({"enum": constraints.not_in}));
    }
    Value::Object(schema)
}

/// Proto JSON writes 64-bit integers as strings, for which there are no bounds in
/// JSON Schema: they stand in the description.
fn long(constraints: &Constraints) -> Value {
    let sign = if constraints.gte.is_some_and(|least| least >= 0) { "" } else { "-?" };
    let mut schema = json!({
        "type": "string",
        "format": "int64",
        "pattern": format!("^{sign}[0-9]{{1,19}}$"),
    });
    if !constraints.not_in.is_empty() {
        let texts: Vec<String> = constraints.not_in.iter().map(i64::to_string).collect();
        schema["not"] = json!({"enum": texts});
    }
    schema
}

fn bounds_in_words(field: &FieldDescriptor, constraints: &Constraints) -> String {
    let is_long = matches!(field.kind(), Kind::Int64 | Kind::Uint64);
    match (constraints.gte, constraints.lte) {
        (Some(least), Some(most)) if is_long => format!(" From {least} to {most}."),
        (Some(least), None) if is_long => format!(" At least {least}."),
        (None, Some(most)) if is_long => format!(" At most {most}."),
        _ => String::new(),
    }
}

/// Whether a request without the field is refused: the value that an absent field
/// stands for breaks its constraints.
pub(super) fn is_required(field: &FieldDescriptor) -> Result<bool> {
    let c = Constraints::of(field)?;
    let zero_is_refused = match field.kind() {
        Kind::Message(_) => false,
        Kind::String if !field.is_list() => {
            let pattern = c.pattern.as_deref().map(Regex::new).transpose()?;
            let shortest = c.min_len.unwrap_or(0);
            shortest > 0 || c.uuid || c.email || pattern.is_some_and(|p| !p.is_match(""))
        }
        _ if field.is_list() => false,
        _ => {
            let below = c.gte.is_some_and(|least| least > 0);
            below || c.lte.is_some_and(|most| most < 0) || c.not_in.contains(&0)
        }
    };
    Ok(c.required || zero_is_refused || c.min_items.is_some_and(|n| n > 0))
}

/// Standard fields (AIP-148) and a resource's own id: a request may hold them, so
/// that what was read can be sent back, and they change nothing.
pub(super) fn is_set_by_server(field: &FieldDescriptor) -> bool {
    let message = field.parent_message();
    let id = format!("{}_id", heck::AsSnakeCase(message.name()));
    ["create_time", "update_time", id.as_str()].contains(&field.name())
}

fn sensitivity(field: &FieldDescriptor) -> Result<Option<&'static str>> {
    let value = extension(&field.options(), "stoa.policy.v1.sensitivity")?;
    Ok(match value.and_then(|v| v.as_i64()) {
        Some(1) => Some("personal"),
        Some(2) => Some("secret"),
        _ => None,
    })
}

fn put(schema: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        schema.insert(key.to_owned(), value.into());
    }
}

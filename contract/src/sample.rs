//! Messages that obey the contract, as proto JSON: for examples in documents and
//! for tests that call every method.

use anyhow::{Result, bail};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use crate::constraints::Constraints;

/// An id where none is given.
const ID: &str = "019a0000-0000-7000-8000-000000000001";

/// A valid message with every field set, names as in the contract.
pub fn message(descriptor: &MessageDescriptor) -> Result<Value> {
    message_with(descriptor, &|_| None)
}

/// The same with some fields' values given.
pub fn message_with(
    descriptor: &MessageDescriptor,
    given: &dyn Fn(&FieldDescriptor) -> Option<Value>,
) -> Result<Value> {
    Sampler { given, inside: Vec::new() }.message(descriptor)
}

struct Sampler<'a> {
    given: &'a dyn Fn(&FieldDescriptor) -> Option<Value>,
    /// The messages around, so that one that contains itself ends.
    inside: Vec<String>,
}

impl Sampler<'_> {
    fn message(&mut self, descriptor: &MessageDescriptor) -> Result<Value> {
        if let Some(known) = well_known(descriptor.full_name()) {
            return Ok(known);
        }
        self.inside.push(descriptor.full_name().to_owned());
        let mut object = Map::new();
        for field in descriptor.fields() {
            if let Some(value) = self.field(&field)? {
                object.insert(field.name().to_owned(), value);
            }
        }
        self.inside.pop();
        Ok(Value::Object(object))
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<Option<Value>> {
        if let Some(value) = (self.given)(field) {
            return Ok(Some(value));
        }
        // Opaque: none can be made up.
        if field.name() == "page_token" {
            return Ok(None);
        }
        if let Kind::Message(inner) = field.kind() {
            // An absent mask means every field that is set; an `Any` is of no type.
            let left_out = ["google.protobuf.FieldMask", "google.protobuf.Any"];
            let skipped = left_out.contains(&inner.full_name())
                || self.inside.iter().any(|name| name == inner.full_name());
            if skipped {
                return Ok(None);
            }
        }
        let constraints = Constraints::of(field)?;
        if !field.is_list() {
            return self.value(field, &constraints).map(Some);
        }
        let items = constraints.items.as_deref().cloned().unwrap_or_default();
        Ok(Some(Value::Array(vec![self.value(field, &items)?])))
    }

    fn value(&mut self, field: &FieldDescriptor, constraints: &Constraints) -> Result<Value> {
        if let Some(example) = &constraints.example {
            return Ok(example.clone());
        }
        Ok(match field.kind() {
            Kind::Message(inner) => self.message(&inner)?,
            Kind::String => text(field, constraints)?,
            Kind::Bool => json!(true),
            Kind::Enum(descriptor) => {
                let value = descriptor.values().find(|v| v.number() != 0);
                json!(value.map(|v| v.name().to_owned()).unwrap_or_default())
            }
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => {
                json!(integer(constraints))
            }
            // Proto JSON writes 64-bit integers as strings.
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => {
                json!(integer(constraints).to_string())
            }
            Kind::Float | Kind::Double => json!(1.5),
            Kind::Bytes => json!("c3RvYQ=="),
        })
    }
}

fn well_known(name: &str) -> Option<Value> {
    Some(match name {
        "google.type.Money" => {
            json!({"currency_code": "EUR", "units": "12", "nanos": 990_000_000})
        }
        "google.protobuf.Timestamp" => json!("2026-01-31T12:00:00Z"),
        "google.protobuf.Duration" => json!("1.500s"),
        "google.protobuf.BoolValue" => json!(true),
        "google.protobuf.StringValue" => json!("text"),
        _ => return None,
    })
}

fn text(field: &FieldDescriptor, constraints: &Constraints) -> Result<Value> {
    let name = field.name();
    if constraints.uuid || name.ends_with("_id") {
        return Ok(json!(ID));
    }
    if constraints.email || name == "email" {
        return Ok(json!("ada@example.com"));
    }
    if constraints.pattern.is_some() {
        bail!("{}: a pattern needs an example (buf.validate)", field.full_name());
    }
    let plain = name.replace('_', " ");
    let shortest = usize::try_from(constraints.min_len.unwrap_or(0))?;
    let longest = usize::try_from(constraints.max_len.unwrap_or(100))?;
    Ok(json!(plain.chars().cycle().take(plain.len().clamp(shortest, longest)).collect::<String>()))
}

/// The smallest allowed value from 1 on, or the largest below.
fn integer(constraints: &Constraints) -> i64 {
    let (least, most) = (constraints.gte.unwrap_or(i64::MIN), constraints.lte.unwrap_or(i64::MAX));
    let mut value = 1.clamp(least, most);
    while constraints.not_in.contains(&value) {
        value += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    #[test]
    fn every_request_and_every_fact_has_a_sample() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let contract = crate::load(&root).unwrap();
        let requests = contract.methods().map(|(_, m)| m.descriptor.input());
        for message in requests.chain(contract.facts.iter().map(|f| f.message.clone())) {
            let sample = super::message(&message).unwrap();
            let parsed = prost_reflect::DynamicMessage::deserialize(message.clone(), &sample);
            assert!(parsed.is_ok(), "{}: {sample}: {parsed:?}", message.full_name());
        }
    }
}

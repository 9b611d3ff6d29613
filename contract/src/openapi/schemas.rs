//! The schemas of messages, one for what is sent and one for what is answered where
//! the two differ.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use prost_reflect::{EnumDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{errors, fields};
use crate::comments;
use crate::model::Contract;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// The schemas that were referred to so far.
pub(super) struct Schemas {
    /// By name; null while it is being made.
    known: BTreeMap<String, Value>,
    /// Which element a name stands for.
    owners: BTreeMap<String, String>,
    /// Full names of the messages that are answered.
    answered: BTreeSet<String>,
}

impl Schemas {
    pub(super) fn new(contract: &Contract) -> Result<Self> {
        let mut answered = BTreeSet::new();
        for (_, method) in contract.external() {
            collect(&method.descriptor.output(), &mut answered);
        }
        Ok(Self { known: BTreeMap::new(), owners: BTreeMap::new(), answered })
    }

    /// A message inside another, or a whole answer.
    pub(super) fn of_message(&mut self, message: &MessageDescriptor, side: Side) -> Result<Value> {
        if let Some(known) = well_known(message.full_name()) {
            return Ok(known);
        }
        let both = side == Side::Request && self.answered.contains(message.full_name());
        let name = format!("{}{}", message.name(), if both { "Input" } else { "" });
        self.refer(&name, message, side, &[])
    }

    /// A request's body without what stands elsewhere in the request.
    pub(super) fn of_body(
        &mut self,
        message: &MessageDescriptor,
        elsewhere: &[String],
    ) -> Result<Value> {
        self.refer(message.name(), message, Side::Request, elsewhere)
    }

    fn refer(
        &mut self,
        name: &str,
        message: &MessageDescriptor,
        side: Side,
        without: &[String],
    ) -> Result<Value> {
        self.claim(name, message.full_name())?;
        if !self.known.contains_key(name) {
            self.known.insert(name.to_owned(), Value::Null);
            let schema = self.object(message, side, without)?;
            self.known.insert(name.to_owned(), schema);
        }
        Ok(reference(name))
    }

    fn object(
        &mut self,
        message: &MessageDescriptor,
        side: Side,
        without: &[String],
    ) -> Result<Value> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields().filter(|f| !without.iter().any(|name| name == f.name())) {
            let always_there = match side {
                Side::Request => fields::is_required(&field)?,
                // The edge prints every scalar and every list, also when it is 0 or empty.
                Side::Response => field.is_list() || !field.supports_presence(),
            };
            if always_there {
                required.push(field.name().to_owned());
            }
            properties.insert(field.name().to_owned(), fields::schema(&field, side, self)?);
        }
        let mut schema = json!({
            "type": "object",
            "description": comments::of_message(message),
            "properties": properties,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        if side == Side::Request {
            schema["additionalProperties"] = json!(false);
        }
        Ok(schema)
    }

    pub(super) fn of_enum(&mut self, descriptor: &EnumDescriptor) -> Result<Value> {
        let name = descriptor.name();
        self.claim(name, descriptor.full_name())?;
        let mut text = comments::of_enum(descriptor);
        for value in descriptor.values() {
            let comment = comments::of_value(&value);
            text.push_str(&format!("\n- `{}`: {comment}", value.name()));
        }
        let names: Vec<String> = descriptor.values().map(|v| v.name().to_owned()).collect();
        let schema = json!({"type": "string", "description": text, "enum": names});
        self.known.insert(name.to_owned(), schema);
        Ok(reference(name))
    }

    /// Two elements must not share a name in the document.
    fn claim(&mut self, name: &str, owner: &str) -> Result<()> {
        let first = self.owners.entry(name.to_owned()).or_insert_with(|| owner.to_owned());
        ensure!(first == owner, "{owner}: OpenAPI already has a schema {name}, of {first}");
        Ok(())
    }

    pub(super) fn into_components(mut self, contract: &Contract) -> Result<Value> {
        for (name, schema) in errors::schemas(contract) {
            self.claim(&name, "google.rpc.Status")?;
            self.known.insert(name, schema);
        }
        Ok(self.known.into_iter().collect::<Map<_, _>>().into())
    }
}

pub(super) fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// Types whose JSON form is not an object of their fields.
pub(super) fn well_known(name: &str) -> Option<Value> {
    Some(match name {
        "google.protobuf.Timestamp" => json!({"type": "string", "format": "date-time"}),
        "google.protobuf.Duration" => {
            json!({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"})
        }
        "google.protobuf.FieldMask" => json!({
            "type": "string",
            "pattern": r"^([A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*)?$",
        }),
        "google.protobuf.Empty" => json!({"type": "object"}),
        "google.protobuf.BoolValue" => json!({"type": "boolean"}),
        "google.protobuf.StringValue" => json!({"type": "string"}),
        _ => return None,
    })
}

fn collect(message: &MessageDescriptor, into: &mut BTreeSet<String>) {
    if into.insert(message.full_name().to_owned()) {
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                collect(&inner, into);
            }
        }
    }
}

//! Messages, their fields and enums: what is valid, and what may be told of it.

use anyhow::Result;
use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value;

use super::constraints::{self, Direction};
use super::uses::Uses;
use super::{Change, Differ, Effect};
use crate::model::{Contract, extension, is_ours};

const SECTION: &str = "Messages";

pub(super) fn compare(before: &Contract, after: &Contract) -> Result<Vec<Change>> {
    let (was, is) = (Uses::of(before), Uses::of(after));
    let mut changes = Vec::new();
    for old in messages(before) {
        let name = old.full_name();
        if after.pool.get_message_by_name(name).is_none() {
            let gone = Change::new(SECTION, name, "message", Effect::BreaksWire).from(name);
            changes.push(gone.noting(was.describe(name)));
        }
    }
    for new in messages(after) {
        let name = new.full_name();
        match before.pool.get_message_by_name(name) {
            Some(old) => changes.extend(message(&old, &new, &is)?),
            None => {
                let change = Change::new(SECTION, name, "message", Effect::Added);
                changes.push(change.to(fields(&new)).noting(is.describe(name)));
            }
        }
    }
    changes.extend(enums(before, after));
    Ok(changes)
}

fn messages(contract: &Contract) -> Vec<MessageDescriptor> {
    let ours = contract.pool.all_messages().filter(|m| is_ours(&m.parent_file()));
    let mut messages: Vec<_> = ours.collect();
    messages.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    messages
}

fn fields(message: &MessageDescriptor) -> String {
    message.fields().map(|f| f.name().to_owned()).collect::<Vec<_>>().join(", ")
}

fn message(old: &MessageDescriptor, new: &MessageDescriptor, uses: &Uses) -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for was in old.fields() {
        match new.get_field_by_name(was.name()) {
            Some(is) => changes.extend(field(&was, &is, uses)?),
            None => {
                let change = Change::new(SECTION, was.full_name(), "field", Effect::BreaksWire);
                changes.push(change.from(shape(&was)));
            }
        }
    }
    for is in new.fields().filter(|f| old.get_field_by_name(f.name()).is_none()) {
        changes.push(added(&is, uses)?);
    }
    for change in &mut changes {
        change.note = uses.describe(new.full_name());
    }
    Ok(changes)
}

fn added(field: &FieldDescriptor, uses: &Uses) -> Result<Change> {
    let rules = constraints::of(field)?;
    let asked = uses.in_a_request(field.parent_message().full_name());
    let mut text = shape(field);
    for (path, value) in &rules {
        text.push_str(&format!(", {} {value}", constraints::proto_name(path)));
    }
    // Whoever was built before does not send it.
    let must = asked && constraints::refuses_nothing(field, &rules);
    let effect = if must { Effect::Breaks("FIELD_REQUIRED") } else { Effect::Added };
    Ok(Change::new(SECTION, field.full_name(), "field", effect).to(text))
}

fn field(old: &FieldDescriptor, new: &FieldDescriptor, uses: &Uses) -> Result<Vec<Change>> {
    let mut diff = Differ::new(SECTION, new.full_name());
    diff.push("type", shape(old), shape(new), Effect::BreaksWire);
    let (was, is) = (sensitivity(old)?, sensitivity(new)?);
    let effect = if is < was { Effect::Loosened } else { Effect::Tightened };
    diff.push("sensitivity", SENSITIVITY[was].into(), SENSITIVITY[is].into(), effect);
    let (was, is) = (constraints::of(old)?, constraints::of(new)?);
    let asked = uses.in_a_request(new.parent_message().full_name());
    let mut paths: Vec<&String> = was.keys().chain(is.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        let (before, after) = (was.get(path), is.get(path));
        let effect = match constraints::direction(path, before, after) {
            Direction::More => Effect::Loosened,
            Direction::Fewer if asked => Effect::Breaks("CONSTRAINT_TIGHTENED"),
            Direction::Fewer => Effect::Tightened,
        };
        let text = |v: Option<&Value>| v.map(plain).unwrap_or_else(|| "none".to_owned());
        diff.push(&constraints::proto_name(path), text(before), text(after), effect);
    }
    Ok(diff.changes)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// By the numbers of `stoa.policy.v1.Sensitivity`.
const SENSITIVITY: [&str; 3] = ["none", "personal", "secret"];

fn sensitivity(field: &FieldDescriptor) -> Result<usize> {
    let value = extension(&field.options(), "stoa.policy.v1.sensitivity")?;
    let number = value.and_then(|v| v.as_u64()).unwrap_or_default();
    Ok(usize::try_from(number)?.min(SENSITIVITY.len() - 1))
}

/// Type and number.
fn shape(field: &FieldDescriptor) -> String {
    let repeated = if field.cardinality() == Cardinality::Repeated { "repeated " } else { "" };
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(descriptor) => descriptor.full_name().to_owned(),
        kind => format!("{kind:?}").to_lowercase(),
    };
    format!("{repeated}{kind} = {}", field.number())
}

fn enums(before: &Contract, after: &Contract) -> Vec<Change> {
    let ours = |c: &Contract| -> Vec<EnumDescriptor> {
        c.pool.all_enums().filter(|e| is_ours(&e.parent_file())).collect()
    };
    let values = |e: &EnumDescriptor| -> Vec<String> {
        e.values().map(|v| format!("{} = {}", v.name(), v.number())).collect()
    };
    let mut changes = Vec::new();
    for new in ours(after) {
        let name = new.full_name();
        let old = before.pool.get_enum_by_name(name);
        let mut diff = Differ::new(SECTION, name);
        let was = old.as_ref().map(values).unwrap_or_default();
        diff.sets("value", &was, &values(&new), Effect::BreaksWire);
        changes.extend(diff.changes);
    }
    for old in ours(before) {
        let name = old.full_name();
        if after.pool.get_enum_by_name(name).is_none() {
            changes.push(Change::new(SECTION, name, "enum", Effect::BreaksWire).from(name));
        }
    }
    changes
}

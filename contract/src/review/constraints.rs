//! `buf.validate` rules of a field, compared one by one, whichever there are.

use std::collections::BTreeMap;

use anyhow::Result;
use prost_reflect::FieldDescriptor;
use serde_json::Value;

use crate::model::extension;

/// The rules of a field by their path, for example `string.maxLen`.
pub(super) type Rules = BTreeMap<String, Value>;

/// Which values pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Fewer,
    More,
}

pub(super) fn of(field: &FieldDescriptor) -> Result<Rules> {
    let mut rules = Rules::new();
    if let Some(value) = extension(&field.options(), "buf.validate.field")? {
        flatten("", &value, &mut rules);
    }
    Ok(rules)
}

fn flatten(path: &str, value: &Value, into: &mut Rules) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                flatten(&format!("{path}{dot}{name}"), value, into);
            }
        }
        // For readers; restricts nothing.
        _ if leaf(path) == "example" => {}
        Value::Bool(false) => {}
        _ => {
            into.insert(path.to_owned(), value.clone());
        }
    }
}

fn leaf(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// What the change of one rule does to the values that pass.
pub(super) fn direction(path: &str, before: Option<&Value>, after: Option<&Value>) -> Direction {
    let (Some(before), Some(after)) = (before, after) else {
        return if after.is_some() { Direction::Fewer } else { Direction::More };
    };
    let fewer = match leaf(path) {
        "maxLen" | "maxItems" | "lte" | "lt" | "maxBytes" => number(after) < number(before),
        "minLen" | "minItems" | "gte" | "gt" | "minBytes" => number(after) > number(before),
        "notIn" => !items(after).iter().all(|v| items(before).contains(v)),
        "in" => !items(before).iter().all(|v| items(after).contains(v)),
        // Two patterns, say: not to be known, so taken for the worse.
        _ => true,
    };
    if fewer { Direction::Fewer } else { Direction::More }
}

/// Whether a message that does not set the field at all is refused.
pub(super) fn refuses_nothing(field: &FieldDescriptor, rules: &Rules) -> bool {
    let is = |path: &str| rules.get(path).is_some_and(|v| v.as_bool() == Some(true));
    if is("required") {
        return true;
    }
    // With presence, absent is not checked; without, absent is empty or zero.
    if field.supports_presence() {
        return false;
    }
    rules.iter().any(|(path, value)| match path.as_str() {
        "string.uuid" | "string.email" | "string.pattern" => true,
        "string.minLen" | "repeated.minItems" => number(value) > Some(0),
        path if path.ends_with(".gte") => number(value) > Some(0),
        path if path.ends_with(".notIn") => items(value).iter().any(|v| number(v) == Some(0)),
        _ => false,
    })
}

/// Proto JSON writes 64-bit integers as strings.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// As it stands in `.proto` files.
pub(super) fn proto_name(path: &str) -> String {
    let mut name = String::new();
    for c in path.chars() {
        if c.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

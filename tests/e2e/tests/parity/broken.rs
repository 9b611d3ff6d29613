//! Requests that break the contract in one place, from its `buf.validate` rules.

use contract::{Constraints, Method, sample};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

/// A valid request with one thing wrong.
pub struct Broken {
    /// The field by its path, and how it is broken.
    pub what: String,
    pub request: Value,
}

/// The way to a value: fields from the request inwards.
type Way = Vec<String>;

/// Every constraint of a request, broken one at a time.
pub fn all(method: &Method, valid: &Value) -> Vec<Broken> {
    let mut broken = Vec::new();
    walk(&method.descriptor.input(), valid, &Vec::new(), &mut broken);
    broken
}

fn walk(message: &MessageDescriptor, valid: &Value, way: &Way, broken: &mut Vec<Broken>) {
    for field in message.fields() {
        let way: Way = way.iter().cloned().chain([field.name().to_owned()]).collect();
        let rules = Constraints::of(&field).unwrap();
        for (how, value) in violations(&field, &rules) {
            let mut request = valid.clone();
            put(&mut request, &way, value);
            broken.push(Broken { what: format!("{} {how}", way.join(".")), request });
        }
        if let (Kind::Message(inner), false) = (field.kind(), field.is_list())
            && inner.package_name().starts_with("stoa.")
        {
            // What is around a broken field must be valid itself.
            let mut valid = valid.clone();
            if at(&valid, &way).is_none() {
                put(&mut valid, &way, Some(sample::message(&inner).unwrap()));
            }
            walk(&inner, &valid, &way, broken);
        }
    }
}

/// Values that break one rule each; `None` leaves the field out.
fn violations(field: &FieldDescriptor, rules: &Constraints) -> Vec<(&'static str, Option<Value>)> {
    let mut values = if field.is_list() { of_list(field, rules) } else { of_value(field, rules) };
    if rules.required {
        values.push(("is missing", None));
    }
    values
}

fn of_list(field: &FieldDescriptor, rules: &Constraints) -> Vec<(&'static str, Option<Value>)> {
    let mut values = Vec::new();
    let items = rules.items.as_deref().cloned().unwrap_or_default();
    let good = items.example.clone().unwrap_or_else(|| json!("x"));
    if rules.min_items.is_some_and(|n| n > 0) {
        values.push(("has too few items", Some(json!([]))));
    }
    if let Some(most) = rules.max_items {
        let many: Vec<Value> = (0..=most).map(|n| json!(format!("item-{n}"))).collect();
        values.push(("has too many items", Some(json!(many))));
    }
    if rules.unique {
        values.push(("has an item twice", Some(json!([good, good]))));
    }
    for (how, item) in of_value(field, &items) {
        values.push((how, item.map(|item| json!([item]))));
    }
    values
}

fn of_value(field: &FieldDescriptor, rules: &Constraints) -> Vec<(&'static str, Option<Value>)> {
    let mut values = Vec::new();
    let length = |n: u64| json!("x".repeat(usize::try_from(n).unwrap()));
    let mut add = |how, value| values.push((how, Some(value)));
    if let Some(least) = rules.min_len.filter(|n| *n > 0) {
        add("is too short", length(least - 1));
    }
    if let Some(most) = rules.max_len {
        add("is too long", length(most + 1));
    }
    if rules.pattern.is_some() {
        add("is not of the pattern", json!("!?"));
    }
    if rules.email {
        add("is no e-mail address", json!("not an address at all"));
    }
    if rules.uuid {
        add("is no UUID", json!("x"));
    }
    let number = |n: i64| match field.kind() {
        Kind::Int64 | Kind::Uint64 => json!(n.to_string()),
        _ => json!(n),
    };
    if let Some(least) = rules.gte {
        add("is too small", number(least - 1));
    }
    if let Some(most) = rules.lte {
        add("is too large", number(most + 1));
    }
    for n in &rules.not_in {
        add("is excluded", number(*n));
    }
    if rules.defined_only {
        add("is no value of the enum", json!(9_999));
    }
    values
}

fn at<'a>(value: &'a Value, way: &Way) -> Option<&'a Value> {
    way.iter().try_fold(value, |value, name| value.get(name))
}

/// Puts a value at the end of a way, or takes what is there away.
pub fn put(value: &mut Value, way: &[String], new: Option<Value>) {
    let (last, inside) = way.split_last().expect("a field");
    let parent = inside.iter().fold(value, |value, name| &mut value[name]);
    match new {
        Some(new) => parent[last] = new,
        None => drop(parent.as_object_mut().and_then(|fields| fields.remove(last))),
    }
}

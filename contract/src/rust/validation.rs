//! `buf.validate` rules as straight Rust: no descriptor is read at run time.
//!
//! A rule that this compiler does not know fails the build; none is skipped.

use std::fmt::Write;

use anyhow::{Context, Result, bail};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::names;
use crate::model::{Contract, extension, is_ours};

pub(crate) fn render(contract: &Contract) -> Result<String> {
    let mut code = String::new();
    let mut messages: Vec<_> =
        contract.pool.all_messages().filter(|m| is_validated(m) && !m.is_map_entry()).collect();
    messages.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    for message in messages {
        let mut body = String::new();
        for field in message.fields() {
            let rules = rules_of(&field)?;
            let rendered = render_field(&field, rules.as_ref());
            body.push_str(&rendered.with_context(|| field.full_name().to_owned())?);
        }
        let argument = if body.is_empty() { "_" } else { "v" };
        let _ = write!(
            code,
            "impl Validate for {} {{ fn validate(&self, {argument}: &mut Violations) {{ {body} }} }}",
            names::message(&message),
        );
    }
    Ok(code)
}

fn is_validated(message: &MessageDescriptor) -> bool {
    is_ours(&message.parent_file())
        || ["google.type.Money", "google.api.HttpBody"].contains(&message.full_name())
}

fn rules_of(field: &FieldDescriptor) -> Result<Option<Map<String, Value>>> {
    let rules = extension(&field.options(), "buf.validate.field")?;
    Ok(rules.and_then(|r| r.as_object().cloned()))
}

fn render_field(field: &FieldDescriptor, rules: Option<&Map<String, Value>>) -> Result<String> {
    let name = field.name();
    let access = format!("self.{}", names::ident(name));
    let mut code = storable(field, &access);
    for (rule, value) in rules.into_iter().flatten() {
        match rule.as_str() {
            "required" => write!(code, "check::required(v, {name:?}, &{access});")?,
            "repeated" => code.push_str(&repeated(field, &access, object(value)?)?),
            _ => {
                code.push_str(&scalar(field, rule, object(value)?, &format!("{name:?}"), &access)?)
            }
        }
    }
    if let Kind::Message(inner) = field.kind()
        && is_validated(&inner)
    {
        let walk = if field.is_list() { "each" } else { "nested" };
        write!(code, "check::{walk}(v, {name:?}, &{access});")?;
    }
    Ok(code)
}

/// Whatever else a text may be: PostgreSQL cannot keep U+0000.
fn storable(field: &FieldDescriptor, access: &str) -> String {
    let name = field.name();
    match (field.kind(), field.is_list()) {
        (Kind::String, false) => format!("check::storable(v, {name:?}, &{access});"),
        (Kind::String, true) => format!("check::each_storable(v, {name:?}, &{access});"),
        _ => String::new(),
    }
}

fn repeated(field: &FieldDescriptor, access: &str, rules: &Map<String, Value>) -> Result<String> {
    let name = field.name();
    let mut code = String::new();
    for (rule, value) in rules {
        match rule.as_str() {
            "minItems" => {
                write!(code, "check::min_items(v, {name:?}, &{access}, {});", count(value)?)?
            }
            "maxItems" => {
                write!(code, "check::max_items(v, {name:?}, &{access}, {});", count(value)?)?
            }
            "unique" => write!(code, "check::unique(v, {name:?}, &{access});")?,
            "items" => {
                let mut inner = String::new();
                for (kind, rules) in object(value)? {
                    let at = "&check::at(name, index)";
                    inner.push_str(&scalar(field, kind, object(rules)?, at, "item")?);
                }
                if inner.is_empty() {
                    continue;
                }
                write!(
                    code,
                    "for (index, item) in {access}.iter().enumerate() {{ let name = {name:?}; {inner} }}"
                )?;
            }
            other => bail!("repeated.{other} is not supported"),
        }
    }
    Ok(code)
}

fn scalar(
    field: &FieldDescriptor,
    kind: &str,
    rules: &Map<String, Value>,
    name: &str,
    access: &str,
) -> Result<String> {
    let mut code = String::new();
    let is_item = access == "item";
    let by_value = if is_item { format!("*{access}") } else { access.to_owned() };
    let text = if is_item { access.to_owned() } else { format!("&{access}") };
    let number = if kind == "int32" { format!("i64::from({by_value})") } else { by_value.clone() };
    for (rule, value) in rules {
        match (kind, rule.as_str()) {
            // For readers; restricts nothing.
            (_, "example") => {}
            ("string", "minLen") => {
                write!(code, "check::min_len(v, {name}, {text}, {});", count(value)?)?
            }
            ("string", "maxLen") => {
                write!(code, "check::max_len(v, {name}, {text}, {});", count(value)?)?
            }
            ("string", "pattern") => {
                let pattern = value.as_str().context("not a string")?;
                regex::Regex::new(pattern)?;
                write!(
                    code,
                    "{{ static PATTERN: check::Pattern = check::Pattern::new({pattern:?}); \
                     check::matches(v, {name}, {text}, &PATTERN); }}"
                )?;
            }
            ("string", "email") => write!(code, "check::email(v, {name}, {text});")?,
            ("string", "uuid") => write!(code, "check::uuid(v, {name}, {text});")?,
            ("int32" | "int64", "gte") => {
                write!(code, "check::gte(v, {name}, {number}, {});", count(value)?)?;
            }
            ("int32" | "int64", "lte") => {
                write!(code, "check::lte(v, {name}, {number}, {});", count(value)?)?;
            }
            ("int32" | "int64", "notIn") => {
                let list = value.as_array().context("not a list")?;
                let list = list.iter().map(count).collect::<Result<Vec<_>>>()?;
                write!(code, "check::not_in(v, {name}, {number}, &{list:?});")?;
            }
            ("enum", "definedOnly") => {
                let Kind::Enum(descriptor) = field.kind() else { bail!("not an enum") };
                let ty = names::enumeration(&descriptor);
                write!(code, "check::defined(v, {name}, {ty}::try_from({by_value}).is_ok());")?;
            }
            (kind, rule) => bail!("{kind}.{rule} is not supported"),
        }
    }
    Ok(code)
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().context("not a message")
}

/// Proto JSON writes 64-bit integers as strings.
fn count(value: &Value) -> Result<i64> {
    let parsed = value.as_i64().or_else(|| value.as_str().and_then(|s| s.parse().ok()));
    parsed.with_context(|| format!("{value} is not a number"))
}

//! The edge: Envoy's configuration and the descriptors its transcoder reads.

mod access;
mod clusters;
mod descriptor;
mod docs;
mod errors;
mod filters;
mod guard;
mod headers;
mod limits;
mod listener;
mod operations;
mod routes;
mod signin;
mod tls;
mod tracing;

use anyhow::Result;
use serde_json::{Value, json};

use crate::model::Contract;
use crate::yaml::millis;
use crate::{File, yaml};

pub(crate) fn files(contract: &Contract) -> Result<Vec<File>> {
    let mut files = vec![
        File::new("envoy/edge.yaml", render(contract)?),
        File::new("envoy/descriptor.binpb", descriptor::without_comments(&contract.pool)?),
    ];
    for (name, secret) in tls::secrets() {
        let text = quote(&yaml::documents(&[secret])?);
        files.push(File::new(format!("envoy/certificates/{name}.yaml"), text));
    }
    Ok(files)
}

/// The configuration with its `${PLACEHOLDERS}` still in it.
pub(crate) fn render(contract: &Contract) -> Result<String> {
    let config = json!({
        "node": operations::node(),
        "admin": operations::admin(),
        "layered_runtime": operations::runtime(),
        "overload_manager": operations::overload(),
        "static_resources": {
            "listeners": [listener::plain(contract), listener::tls()],
            "clusters": clusters::all(contract),
        },
    });
    Ok(quote(&listener::shared(&yaml::documents(&[config])?)))
}

/// Quotes the values that begin with a placeholder and are not numbers, so that a value
/// such as `^[a-z]+$` stays a string when it is put in.
fn quote(yaml: &str) -> String {
    let mut quoted = String::with_capacity(yaml.len());
    for line in yaml.lines() {
        match line.split_once("${") {
            Some((before, rest)) if !is_number(rest) && ends_key(before) => {
                quoted.push_str(&format!("{before}'${{{rest}'"));
            }
            _ => quoted.push_str(line),
        }
        quoted.push('\n');
    }
    quoted
}

fn is_number(name: &str) -> bool {
    name.ends_with("_PORT}") || name.ends_with("_HOPS}")
}

fn ends_key(before: &str) -> bool {
    before.ends_with(": ") || before.ends_with("- ")
}

/// An extension with its type, in the form that every Envoy list of them takes.
fn extension(name: &str, type_name: &str, config: Value) -> Value {
    json!({"name": name, "typed_config": typed(type_name, config)})
}

/// A message in an `Any`.
fn typed(type_name: &str, config: Value) -> Value {
    let mut any = json!({"@type": format!("type.googleapis.com/{type_name}")});
    if let (Value::Object(any), Value::Object(fields)) = (&mut any, config) {
        any.extend(fields);
    }
    any
}

#[cfg(test)]
mod tests;

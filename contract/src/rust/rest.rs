//! The REST form of methods that take a body: paths, and the fields of bodies.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result};
use prost_reflect::{Kind, MessageDescriptor};

use crate::model::{Contract, HttpRule, Method};

pub(crate) fn render(contract: &Contract) -> Result<String> {
    let mut shapes = BTreeMap::new();
    let mut code =
        String::from("/// Every REST path that takes a body.\npub static ROUTES: &[Route] = &[");
    for (_, method) in contract.methods() {
        let Some(http) = method.http.as_ref().filter(|http| !http.body.is_empty()) else {
            continue;
        };
        let body = body_of(method, http).with_context(|| method.path.clone())?;
        let HttpRule { verb, template, .. } = http;
        let name = body.full_name();
        write!(code, "Route {{ verb: {verb:?}, template: {template:?}, body: {name:?} }},")?;
        collect(&body, &mut shapes);
    }
    code.push_str(
        "];\n/// Every message inside a body, sorted by name.\npub static SHAPES: &[Shape] = &[",
    );
    for (name, message) in &shapes {
        write!(code, "Shape {{ message: {name:?}, fields: &[")?;
        for field in message.fields() {
            let inner = match field.kind() {
                Kind::Message(inner) if is_object(&inner) => inner.full_name().to_owned(),
                _ => String::new(),
            };
            write!(
                code,
                "Field {{ name: {:?}, json_name: {:?}, message: {inner:?} }},",
                field.name(),
                field.json_name(),
            )?;
        }
        code.push_str("] },");
    }
    code.push_str("];\n");
    Ok(code)
}

/// The message that the body is: the request or one of its fields.
fn body_of(method: &Method, http: &HttpRule) -> Result<MessageDescriptor> {
    let request = method.descriptor.input();
    if http.body == "*" {
        return Ok(request);
    }
    let field = request.get_field_by_name(&http.body).context("the body is no field")?;
    match field.kind() {
        Kind::Message(body) => Ok(body),
        _ => anyhow::bail!("the body is not a message"),
    }
}

fn collect(message: &MessageDescriptor, into: &mut BTreeMap<String, MessageDescriptor>) {
    let name = message.full_name().to_owned();
    if !is_object(message) || into.contains_key(&name) {
        return;
    }
    into.insert(name, message.clone());
    for field in message.fields() {
        if let Kind::Message(inner) = field.kind() {
            collect(&inner, into);
        }
    }
}

/// Well-known types have forms of their own in JSON, and a raw body has none.
fn is_object(message: &MessageDescriptor) -> bool {
    message.package_name() != "google.protobuf" && message.full_name() != "google.api.HttpBody"
}

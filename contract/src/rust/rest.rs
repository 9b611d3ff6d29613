//! The REST form of methods: paths, and the fields of requests and bodies.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, Result, bail};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::model::{Contract, HttpRule, Method};

pub(crate) fn render(contract: &Contract) -> Result<String> {
    let mut shapes = BTreeMap::new();
    let mut code =
        String::from("/// The REST path of every method.\npub static ROUTES: &[Route] = &[");
    for (_, method) in contract.methods() {
        let Some(http) = &method.http else { continue };
        let request = method.descriptor.input();
        let body = body_of(method, http).with_context(|| method.path.clone())?;
        let HttpRule { verb, template, .. } = http;
        write!(
            code,
            "Route {{ verb: {verb:?}, template: {template:?}, request: {:?}, \
             parameters: &{:?}, body: {}, }},",
            request.full_name(),
            parameters(method)?,
            body_code(&body, all_in_path(method)?),
        )?;
        collect(&request, &mut shapes);
    }
    code.push_str(
        "];\n/// Every message inside a request, sorted by name.\npub static SHAPES: &[Shape] = &[",
    );
    for (name, message) in &shapes {
        write!(code, "Shape {{ message: {name:?}, fields: &[")?;
        for field in message.fields() {
            write!(
                code,
                "Field {{ name: {:?}, json_name: {:?}, repeated: {}, kind: {} }},",
                field.name(),
                field.json_name(),
                field.is_list(),
                kind_of(&field),
            )?;
        }
        code.push_str("] },");
    }
    code.push_str("];\n");
    Ok(code)
}

/// The message that the body is: the request or one of its fields.
fn body_of(method: &Method, http: &HttpRule) -> Result<Option<MessageDescriptor>> {
    let request = method.descriptor.input();
    match http.body.as_str() {
        "" => Ok(None),
        "*" => Ok(Some(request)),
        name => match request.get_field_by_name(name).context("the body is no field")?.kind() {
            Kind::Message(body) => Ok(Some(body)),
            _ => bail!("the body is not a message"),
        },
    }
}

/// The fields that neither the path nor the body says.
fn parameters(method: &Method) -> Result<Vec<String>> {
    let in_path = method.path_fields()?;
    let body = method.http.as_ref().map(|http| http.body.as_str()).unwrap_or_default();
    let request = method.descriptor.input();
    let fields = request.fields().filter(|field| !in_path.contains(field));
    let fields = fields.filter(|field| body != "*" && body != field.name());
    Ok(fields.map(|field| field.name().to_owned()).collect())
}

/// Whether the path says all that the request can say.
fn all_in_path(method: &Method) -> Result<bool> {
    Ok(method.path_fields()?.len() == method.descriptor.input().fields().len())
}

fn body_code(body: &Option<MessageDescriptor>, optional: bool) -> String {
    match body {
        None => "Body::None".to_owned(),
        Some(body) if is_object(body) => {
            format!("Body::Json {{ message: {:?}, optional: {optional} }}", body.full_name())
        }
        Some(_) => "Body::Raw".to_owned(),
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

/// What JSON may say for a field, as an expression.
fn kind_of(field: &FieldDescriptor) -> String {
    match field.kind() {
        Kind::Message(inner) if is_object(&inner) => {
            format!("Kind::Object({:?})", inner.full_name())
        }
        Kind::Message(inner) => well_known(inner.full_name()).to_owned(),
        Kind::Enum(names) => {
            let names: Vec<String> = names.values().map(|v| format!("{:?}", v.name())).collect();
            format!("Kind::Enum(&[{}])", names.join(","))
        }
        kind => scalar(&kind).to_owned(),
    }
}

fn scalar(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "Kind::Bool",
        Kind::Float | Kind::Double => "Kind::Number",
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "Kind::INT32",
        Kind::Uint32 | Kind::Fixed32 => "Kind::UINT32",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "Kind::INT64",
        Kind::Uint64 | Kind::Fixed64 => "Kind::UINT64",
        Kind::String | Kind::Bytes => "Kind::Text",
        Kind::Message(_) | Kind::Enum(_) => "Kind::Any",
    }
}

/// Well-known types have forms of their own in proto JSON.
fn well_known(message: &str) -> &'static str {
    match message.strip_prefix("google.protobuf.").unwrap_or_default() {
        "Timestamp" | "Duration" | "FieldMask" | "StringValue" | "BytesValue" => "Kind::Text",
        "BoolValue" => "Kind::Bool",
        "Int32Value" => "Kind::INT32",
        "UInt32Value" => "Kind::UINT32",
        "Int64Value" => "Kind::INT64",
        "UInt64Value" => "Kind::UINT64",
        "FloatValue" | "DoubleValue" => "Kind::Number",
        _ => "Kind::Any",
    }
}

/// A raw body is no JSON at all.
fn is_object(message: &MessageDescriptor) -> bool {
    message.package_name() != "google.protobuf" && message.full_name() != "google.api.HttpBody"
}

//! From protobuf names to the names that prost gives them.

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_reflect::{EnumDescriptor, MessageDescriptor};

/// A field or module name as a Rust identifier.
pub(crate) fn ident(name: &str) -> String {
    let name = name.to_snake_case();
    match name.as_str() {
        "type" | "use" | "final" | "ref" | "mod" | "match" | "move" | "in" | "gen" => {
            format!("r#{name}")
        }
        _ => name,
    }
}

/// The path of a message's type from the crate root.
pub(crate) fn message(descriptor: &MessageDescriptor) -> String {
    type_path(descriptor.package_name(), descriptor.full_name())
}

/// The path of an enum's type from the crate root.
pub(crate) fn enumeration(descriptor: &EnumDescriptor) -> String {
    type_path(descriptor.package_name(), descriptor.full_name())
}

fn type_path(package: &str, full_name: &str) -> String {
    let inside = full_name.strip_prefix(package).unwrap_or(full_name).trim_start_matches('.');
    let mut parts: Vec<String> = package.split('.').map(ident).collect();
    let mut types: Vec<&str> = inside.split('.').collect();
    let last = types.pop().unwrap_or_default();
    parts.extend(types.into_iter().map(ident));
    parts.push(last.to_upper_camel_case());
    format!("crate::{}", parts.join("::"))
}

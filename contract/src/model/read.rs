//! From descriptors to the model.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FileDescriptor, MessageDescriptor, MethodDescriptor,
    ServiceDescriptor, Value,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Contract, Fact, HttpRule, Method, Needs, Role, Service};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventOption {
    topic: String,
    key: String,
    #[serde(default)]
    consumers: Vec<String>,
}

#[derive(Deserialize)]
struct RoleTable {
    roles: Vec<RoleOption>,
}

#[derive(Deserialize)]
struct RoleOption {
    name: String,
    includes: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
}

impl Contract {
    pub(crate) fn read(pool: DescriptorPool) -> Result<Self> {
        let mut services = pool
            .services()
            .filter(|s| is_ours(&s.parent_file()))
            .map(|s| read_service(&s))
            .collect::<Result<Vec<_>>>()?;
        services.sort_by(|a, b| a.full_name.cmp(&b.full_name));
        let mut facts = Vec::new();
        for message in pool.all_messages().filter(|m| is_ours(&m.parent_file())) {
            if let Some(event) = option::<EventOption>(&message.options(), "event")? {
                let EventOption { topic, key, consumers } = event;
                let publisher = publisher(&services, &message)?;
                facts.push(Fact { topic, key, publisher, consumers, message });
            }
        }
        facts.sort_by(|a, b| a.topic.cmp(&b.topic));
        let roles = read_roles(&pool)?;
        Ok(Self { pool, services, facts, roles })
    }
}

/// A package's facts are published by the workload that serves its service.
fn publisher(services: &[Service], message: &MessageDescriptor) -> Result<String> {
    let package = format!("{}.", message.package_name());
    let service = services.iter().find(|s| s.full_name.starts_with(&package));
    let service =
        service.with_context(|| format!("{}: nobody serves its package", message.full_name()))?;
    Ok(service.workload.clone())
}

/// True for the platform's own packages; the policy options are compiled away.
pub(crate) fn is_ours(file: &FileDescriptor) -> bool {
    file.package_name().starts_with("stoa.") && file.package_name() != "stoa.policy.v1"
}

/// The value of one of our options, typed.
pub(crate) fn option<T: DeserializeOwned>(
    options: &DynamicMessage,
    name: &str,
) -> Result<Option<T>> {
    extension(options, &format!("stoa.policy.v1.{name}"))?
        .map(|v| serde_json::from_value(v).with_context(|| format!("option {name}")))
        .transpose()
}

/// The value of an extension as proto JSON.
pub(crate) fn extension(
    options: &DynamicMessage,
    full_name: &str,
) -> Result<Option<serde_json::Value>> {
    for (descriptor, value) in options.extensions() {
        if descriptor.full_name() == full_name {
            return Ok(Some(match value {
                Value::Message(message) => serde_json::to_value(message)?,
                Value::String(text) => serde_json::Value::String(text.clone()),
                Value::EnumNumber(number) => serde_json::Value::from(*number),
                other => bail!("option {full_name}: unexpected {other:?}"),
            }));
        }
    }
    Ok(None)
}

fn read_service(service: &ServiceDescriptor) -> Result<Service> {
    let name = service.full_name();
    let workload = option(&service.options(), "workload")?
        .with_context(|| format!("{name}: no (stoa.policy.v1.workload)"))?;
    let needs: Option<Needs> =
        option(&service.options(), "needs").with_context(|| name.to_owned())?;
    let methods = service.methods().map(|m| read_method(name, m)).collect::<Result<_>>()?;
    let needs = needs.unwrap_or_default();
    Ok(Service { full_name: name.to_owned(), workload, needs, methods })
}

fn read_method(service: &str, descriptor: MethodDescriptor) -> Result<Method> {
    let path = format!("/{service}/{}", descriptor.name());
    let options = descriptor.options();
    let policy = option(&options, "method")
        .with_context(|| path.clone())?
        .with_context(|| format!("{path}: no (stoa.policy.v1.method)"))?;
    let http = extension(&options, "google.api.http")?.map(|v| read_http(&v)).transpose();
    let idempotent = options
        .get_field_by_name("idempotency_level")
        .and_then(|v| v.as_enum_number())
        .is_some_and(|level| level > 0);
    let http = http.with_context(|| path.clone())?;
    Ok(Method { path, descriptor, policy, http, idempotent })
}

fn read_http(rule: &serde_json::Value) -> Result<HttpRule> {
    for verb in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
        if let Some(template) = rule.get(verb.to_lowercase()).and_then(|t| t.as_str()) {
            let body = rule.get("body").and_then(|b| b.as_str()).unwrap_or_default().to_owned();
            return Ok(HttpRule { verb, template: template.to_owned(), body });
        }
    }
    bail!("google.api.http names no path")
}

fn read_roles(pool: &DescriptorPool) -> Result<Vec<Role>> {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut roles = Vec::new();
    for file in pool.files() {
        let Some(table) = option::<RoleTable>(&file.options(), "roles")? else { continue };
        for role in table.roles {
            let mut permissions = role.permissions;
            if let Some(base) = role.includes {
                let included = known.get(&base);
                let included = included
                    .with_context(|| format!("role {}: includes unknown {base}", role.name))?;
                permissions.extend(included.iter().cloned());
            }
            permissions.sort();
            permissions.dedup();
            known.insert(role.name.clone(), permissions.clone());
            roles.push(Role { name: role.name, permissions });
        }
    }
    Ok(roles)
}

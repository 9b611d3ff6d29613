//! The contract as the compiler's back ends see it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use prost_reflect::{
    DescriptorPool, DynamicMessage, FileDescriptor, MessageDescriptor, MethodDescriptor,
    ServiceDescriptor, Value,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Everything that `proto/` says.
pub struct Contract {
    /// All descriptors, imports included.
    pub pool: DescriptorPool,
    /// By full name.
    pub services: Vec<Service>,
    /// By topic.
    pub facts: Vec<Fact>,
    /// From least to most powerful, with the permissions they include.
    pub roles: Vec<Role>,
}

/// A service.
pub struct Service {
    /// For example `stoa.orders.v1.OrderService`.
    pub full_name: String,
    /// The workload that serves it.
    pub workload: String,
    /// In source order.
    pub methods: Vec<Method>,
}

/// A method and its law.
pub struct Method {
    /// For example `/stoa.orders.v1.OrderService/PlaceOrder`.
    pub path: String,
    pub descriptor: MethodDescriptor,
    pub policy: Policy,
    /// Absent for methods that have no REST form.
    pub http: Option<HttpRule>,
    /// From `idempotency_level`.
    pub idempotent: bool,
}

/// `stoa.policy.v1.MethodPolicy`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    pub access: Access,
    pub deadline_ms: u32,
    pub retry: Option<Retry>,
    pub rate: Option<Rate>,
    pub slo: Option<Slo>,
    #[serde(default)]
    pub idempotency_key: bool,
    pub max_body_bytes: Option<u32>,
}

/// `stoa.policy.v1.Access`. Exactly one of the first four is set.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Access {
    pub public: Option<Empty>,
    pub signed_in: Option<Empty>,
    pub permission: Option<String>,
    pub internal: Option<Empty>,
    #[serde(default)]
    pub callers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

/// `stoa.policy.v1.Retry`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    pub attempts: u32,
    pub per_try_ms: u32,
}

/// `stoa.policy.v1.RateLimit`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    pub per_minute: u32,
    pub burst: u32,
}

/// `stoa.policy.v1.Slo`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slo {
    pub availability_bp: u32,
    pub latency_ms: u32,
}

/// A `google.api.http` rule.
#[derive(Debug, Clone)]
pub struct HttpRule {
    /// Upper case.
    pub verb: &'static str,
    /// For example `/v1/orders/{order_id}:cancel`.
    pub template: String,
    /// Empty, `*` or a field.
    pub body: String,
}

/// A message that is published.
pub struct Fact {
    /// Routing key.
    pub topic: String,
    /// Name of the field that names the aggregate.
    pub key: String,
    /// Workloads.
    pub consumers: Vec<String>,
    pub message: MessageDescriptor,
}

/// A role with everything it may do, included roles resolved.
pub struct Role {
    pub name: String,
    /// Sorted.
    pub permissions: Vec<String>,
}

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

impl Access {
    /// True when the edge may call.
    pub fn is_external(&self) -> bool {
        self.internal.is_none()
    }

    /// True when a user must be signed in.
    pub fn needs_user(&self) -> bool {
        self.signed_in.is_some() || self.permission.is_some()
    }
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
                facts.push(Fact { topic, key, consumers, message });
            }
        }
        facts.sort_by(|a, b| a.topic.cmp(&b.topic));
        let roles = read_roles(&pool)?;
        Ok(Self { pool, services, facts, roles })
    }

    /// All methods of all services.
    pub fn methods(&self) -> impl Iterator<Item = (&Service, &Method)> {
        self.services.iter().flat_map(|s| s.methods.iter().map(move |m| (s, m)))
    }

    /// Our own files, without the policy options themselves.
    pub fn files(&self) -> impl Iterator<Item = FileDescriptor> {
        self.pool.files().filter(is_ours)
    }

    /// The workloads that serve something, sorted.
    pub fn workloads(&self) -> Vec<String> {
        let set: std::collections::BTreeSet<_> =
            self.services.iter().map(|s| s.workload.clone()).collect();
        set.into_iter().collect()
    }
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
    let methods = service.methods().map(|m| read_method(name, m)).collect::<Result<_>>()?;
    Ok(Service { full_name: name.to_owned(), workload, methods })
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

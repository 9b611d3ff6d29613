//! The contract as the compiler's back ends see it.

mod calls;
mod policy;
mod read;

use anyhow::Result;
use prost_reflect::{
    DescriptorPool, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor,
};

pub use calls::{Call, EDGE, TOOLS};
pub use policy::{Access, ErrorCase, External, Needs, Policy, Rate, Resource, Retry, Slo, Store};
pub(crate) use read::{extension, is_ours, option};

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
    /// What the workload needs beside other workloads.
    pub needs: Needs,
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
    /// The workload that publishes it: it serves the package's service.
    pub publisher: String,
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

impl Contract {
    /// All methods of all services.
    pub fn methods(&self) -> impl Iterator<Item = (&Service, &Method)> {
        self.services.iter().flat_map(|s| s.methods.iter().map(move |m| (s, m)))
    }

    /// Methods that the edge serves, each with its service.
    pub fn external(&self) -> impl Iterator<Item = (&Service, &Method)> {
        self.methods().filter(|(_, m)| m.policy.access.is_external())
    }

    /// A method by its path.
    pub fn method(&self, path: &str) -> Option<&Method> {
        self.methods().map(|(_, m)| m).find(|m| m.path == path)
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

    /// The service that a workload serves.
    pub fn service_of(&self, workload: &str) -> Option<&Service> {
        self.services.iter().find(|s| s.workload == workload)
    }

    /// What a workload needs, by all services that it serves.
    pub fn needs_of(&self, workload: &str) -> Needs {
        let mut needs = Needs::default();
        for service in self.services.iter().filter(|s| s.workload == workload) {
            needs.stores.extend(&service.needs.stores);
            needs.external.extend(service.needs.external.iter().cloned());
        }
        needs.stores.sort();
        needs.stores.dedup();
        needs.external.sort();
        needs.external.dedup();
        needs
    }

    /// Whether a workload publishes or consumes facts.
    pub fn uses_broker(&self, workload: &str) -> bool {
        self.facts
            .iter()
            .any(|f| f.publisher == workload || f.consumers.iter().any(|c| c == workload))
    }

    /// The names of the roles that hold a permission, from least to most powerful.
    pub fn holders(&self, permission: &str) -> Vec<&str> {
        let holds = |r: &&Role| r.permissions.iter().any(|p| p == permission);
        self.roles.iter().filter(holds).map(|r| r.name.as_str()).collect()
    }
}

impl Method {
    /// The plain name, for example `PlaceOrder`.
    pub fn name(&self) -> &str {
        self.descriptor.name()
    }

    /// The fields of the request that stand in the REST path, in its order.
    pub fn path_fields(&self) -> Result<Vec<FieldDescriptor>> {
        let Some(http) = &self.http else { return Ok(Vec::new()) };
        http.variables().map(|v| field_at(&self.descriptor.input(), v)).collect()
    }

    /// The fields of the request that name a resource, wherever they stand.
    pub fn resources(&self) -> Result<Vec<(FieldDescriptor, Resource)>> {
        let mut found = Vec::new();
        for field in self.descriptor.input().fields() {
            if let Some(resource) = option::<Resource>(&field.options(), "resource")? {
                found.push((field, resource));
            }
        }
        Ok(found)
    }
}

impl HttpRule {
    /// The names between braces, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.template.split('{').skip(1).filter_map(|part| part.split('}').next())
    }
}

/// Whether a field is secret or personal: it must not be shown anywhere.
pub fn is_sensitive(field: &FieldDescriptor) -> Result<bool> {
    let level: Option<serde_json::Value> = option(&field.options(), "sensitivity")?;
    Ok(level.is_some_and(|l| l != 0))
}

/// Whether a field holds a credential.
pub fn is_secret(field: &FieldDescriptor) -> Result<bool> {
    const SECRET: u64 = 2;
    let level: Option<serde_json::Value> = option(&field.options(), "sensitivity")?;
    Ok(level.is_some_and(|l| l == SECRET))
}

/// The field at a dotted path.
fn field_at(message: &MessageDescriptor, path: &str) -> Result<FieldDescriptor> {
    let unknown = || anyhow::anyhow!("{} has no field {path}", message.full_name());
    match path.split_once('.') {
        None => message.get_field_by_name(path).ok_or_else(unknown),
        Some((first, rest)) => match message.get_field_by_name(first).ok_or_else(unknown)?.kind() {
            Kind::Message(inner) => field_at(&inner, rest),
            _ => Err(unknown()),
        },
    }
}

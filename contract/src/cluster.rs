//! What a cluster and all that is generated for it agree on: names, labels, ports.
//!
//! `k8s/README.md` shows these to people; a test compares the two.

use serde_json::{Value, json};

use crate::model::{Contract, Store};

/// Where our workloads live.
pub const NAMESPACE: &str = "stoa";
/// The first part of every workload's identity.
pub const TRUST_DOMAIN: &str = "stoa.local";
/// A workload's pods carry its name here; its Service and its service account are
/// called the same.
pub const NAME_LABEL: &str = "app.kubernetes.io/name";
/// The pods of a store carry its name here, for example `orders-postgres`.
pub const STORE_LABEL: &str = "stoa.local/store";
/// A network policy that opens the way to one thing outside our namespace says
/// to which kind, so that an overlay can patch all of a kind at once.
pub const TO_LABEL: &str = "stoa.local/to";

/// A workload's API. Its Service's port has the same number and is called `grpc`.
pub const GRPC_PORT: u16 = 8080;
/// The edge, for the gateway before it. The Service's port is called `http`.
pub const EDGE_PORT: u16 = 8080;
/// `/metrics` and the probes. The Service's port is called `http-admin`: a sidecar must
/// know that it is HTTP, or no rule about paths matches there.
pub const ADMIN_PORT: u16 = 9090;
/// Where a sidecar shows its own metrics.
pub const SIDECAR_METRICS_PORT: u16 = 15090;

/// What tokens say, and the default of every service's `JWT_ISSUER` and `JWT_AUDIENCE`.
pub const ISSUER: &str = "https://stoa.local";
pub const AUDIENCE: &str = "stoa";

/// Somebody outside our namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    pub namespace: &'static str,
    /// Of its Service and its service account.
    pub name: String,
    /// Of its pods.
    pub label: (&'static str, String),
    /// TCP.
    pub port: u16,
}

impl Neighbour {
    fn new(namespace: &'static str, label: &'static str, name: &str, port: u16) -> Self {
        Self { namespace, name: name.to_owned(), label: (label, name.to_owned()), port }
    }

    /// Of its Service.
    pub fn host(&self) -> String {
        format!("{}.{}.svc.cluster.local", self.name, self.namespace)
    }

    /// As Istio writes identities: a SPIFFE id without its scheme.
    pub fn principal(&self) -> String {
        format!("{TRUST_DOMAIN}/ns/{}/sa/{}", self.namespace, self.name)
    }
}

/// The Istio gateway before the edge, as its Helm chart installs it under the
/// release name `istio-ingress`.
pub fn gateway() -> Neighbour {
    let label = ("istio", "ingress".to_owned());
    Neighbour { label, ..Neighbour::new("istio-ingress", NAME_LABEL, "istio-ingress", EDGE_PORT) }
}

/// Hands sidecars their configuration and certificates.
pub fn istiod() -> Neighbour {
    Neighbour::new("istio-system", "app", "istiod", 15012)
}

/// Resolves names.
pub fn dns() -> Neighbour {
    Neighbour::new("kube-system", "k8s-app", "kube-dns", 53)
}

/// Collects metrics. A member of the mesh: it proves who it is.
pub fn prometheus() -> Neighbour {
    Neighbour::new("observability", NAME_LABEL, "prometheus", ADMIN_PORT)
}

/// Receives traces, by OTLP over gRPC.
pub fn collector() -> Neighbour {
    Neighbour::new("observability", NAME_LABEL, "otel-collector", 4317)
}

/// The stores of a workload, each with the kind of thing it is.
pub fn stores(contract: &Contract, workload: &str) -> Vec<(&'static str, Neighbour)> {
    let place = |name: &str, port| Neighbour::new("stoa-data", STORE_LABEL, name, port);
    let mut stores: Vec<_> = contract
        .needs_of(workload)
        .stores
        .iter()
        .map(|store| match store {
            Store::Postgres => ("postgres", place(&format!("{workload}-postgres"), 5432)),
            Store::Redis => ("redis", place(&format!("{workload}-redis"), 6379)),
        })
        .collect();
    if contract.uses_broker(workload) {
        // Over TLS, as all stores; the plain port is closed.
        stores.push(("broker", place("rabbitmq", 5671)));
    }
    stores
}

/// Where a system outside the platform is, until an overlay says it: a domain that
/// never exists (RFC 2606), so that a forgotten overlay reaches nobody.
pub fn external_host(name: &str) -> String {
    format!("{name}.example.com")
}

/// Of a workload's Service.
pub fn host(workload: &str) -> String {
    format!("{workload}.{NAMESPACE}.svc.cluster.local")
}

/// As Istio writes identities: a SPIFFE id without its scheme.
pub fn principal(workload: &str) -> String {
    format!("{TRUST_DOMAIN}/ns/{NAMESPACE}/sa/{workload}")
}

/// The labels of a workload's pods.
pub(crate) fn labels(workload: &str) -> Value {
    json!({(NAME_LABEL): workload})
}

/// The beginning of every object in our namespace.
pub(crate) fn object(api_version: &str, kind: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    })
}

/// For `kubectl kustomize`: every file of a directory.
pub(crate) fn kustomization<'a>(files: impl IntoIterator<Item = &'a str>) -> Value {
    let mut files: Vec<&str> = files.into_iter().collect();
    files.sort_unstable();
    json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": files,
    })
}

//! What a workload can reach at all: its sidecar knows nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cluster::{self, Neighbour};
use crate::model::{Contract, External};

const API: &str = "networking.istio.io/v1";

pub(super) fn sidecar(contract: &Contract, workload: &str) -> Value {
    let here = |host: String| format!("./{host}");
    let there = |n: &Neighbour| format!("{}/{}", n.namespace, n.host());
    let calls = contract.calls_of(workload);
    let mut hosts: Vec<String> =
        calls.iter().map(|c| here(cluster::host(&c.service.workload))).collect();
    let external = contract.needs_of(workload).external;
    hosts.extend(external.iter().map(|e| here(cluster::external_host(&e.name))));
    hosts.extend(cluster::stores(contract, workload).iter().map(|(_, n)| there(n)));
    hosts.push(there(&cluster::collector()));
    let spec = json!({
        "workloadSelector": {"labels": cluster::labels(workload)},
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "egress": [{"hosts": hosts}],
    });
    cluster::object(API, "Sidecar", workload, spec)
}

/// Systems outside the platform, known to our namespace only.
pub(super) fn service_entries(contract: &Contract) -> Vec<Value> {
    let systems: BTreeSet<External> =
        contract.participants().iter().flat_map(|w| contract.needs_of(w).external).collect();
    systems.iter().map(service_entry).collect()
}

/// The sidecar passes on the bytes: the workload itself speaks TLS with the other side.
fn service_entry(system: &External) -> Value {
    let protocol = if system.port == 443 { "TLS" } else { "TCP" };
    let port = json!({
        "number": system.port,
        "name": format!("{}-{}", protocol.to_lowercase(), system.port),
        "protocol": protocol,
    });
    let spec = json!({
        "hosts": [cluster::external_host(&system.name)],
        "exportTo": ["."],
        "location": "MESH_EXTERNAL",
        "resolution": "DNS",
        "ports": [port],
    });
    cluster::object(API, "ServiceEntry", &system.name, spec)
}

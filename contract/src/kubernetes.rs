//! The network: who may open a connection to whom, for each workload.
//!
//! What lies outside our namespace has a policy of its own, because only an overlay
//! knows where it really is; policies add up.

mod policy;

use anyhow::Result;
use serde_json::Value;

use crate::cluster::{self, GRPC_PORT, SIDECAR_METRICS_PORT};
use crate::model::{Contract, EDGE};
use crate::{File, yaml};
use policy::{Way, policy};

const DIR: &str = "k8s/base/network-policies";

pub(crate) fn files(contract: &Contract) -> Result<Vec<File>> {
    let mut files = vec![("default-deny.yaml".to_owned(), vec![policy::default_deny()])];
    for workload in contract.participants() {
        files.push((format!("{workload}.yaml"), of_workload(contract, &workload)));
    }
    let list = cluster::kustomization(files.iter().map(|(name, _)| name.as_str()));
    files.push(("kustomization.yaml".to_owned(), vec![list]));
    let write = |(name, documents): (String, Vec<Value>)| {
        Ok(File::new(format!("{DIR}/{name}"), yaml::documents(&documents)?))
    };
    files.into_iter().map(write).collect()
}

fn of_workload(contract: &Contract, workload: &str) -> Vec<Value> {
    let mut documents =
        vec![policy(workload, &inwards(contract, workload), &outwards(contract, workload))];
    for (kind, store) in cluster::stores(contract, workload) {
        documents.push(policy::outside(workload, kind, &Way::neighbour(&store)));
    }
    for system in contract.needs_of(workload).external {
        documents.push(policy::outside(workload, &system.name, &Way::internet(system.port)));
    }
    documents
}

/// Probes need no way in: a pod is always open to its own node.
fn inwards(contract: &Contract, workload: &str) -> Vec<Way> {
    let callers = contract.callers_of(workload);
    let mut ways: Vec<Way> = callers.iter().map(|c| Way::pod(c.caller, GRPC_PORT)).collect();
    if workload == EDGE {
        ways.push(Way::neighbour(&cluster::gateway()));
    }
    ways.push(Way::neighbour(&cluster::prometheus()).and_port(SIDECAR_METRICS_PORT));
    ways
}

fn outwards(contract: &Contract, workload: &str) -> Vec<Way> {
    let calls = contract.calls_of(workload);
    let mut ways: Vec<Way> =
        calls.iter().map(|c| Way::pod(&c.service.workload, GRPC_PORT)).collect();
    ways.push(Way::neighbour(&cluster::dns()).and_udp());
    ways.extend([cluster::istiod(), cluster::collector()].iter().map(Way::neighbour));
    ways
}

//! The mesh: Istio's resources, a file for each workload and one for all of them.

mod access;
mod mesh;
mod reach;
mod traffic;

use anyhow::Result;
use serde_json::Value;

use crate::model::{Contract, EDGE};
use crate::{File, cluster, yaml};

const DIR: &str = "istio/generated";

pub(crate) fn files(contract: &Contract) -> Result<Vec<File>> {
    let mut files = vec![
        ("mesh.yaml".to_owned(), mesh::for_all()),
        ("external.yaml".to_owned(), reach::service_entries(contract)),
    ];
    for workload in contract.participants() {
        files.push((format!("{workload}.yaml"), of_workload(contract, &workload)));
    }
    let list = cluster::kustomization(files.iter().map(|(name, _)| name.as_str()));
    files.push(("kustomization.yaml".to_owned(), vec![list]));
    let values = yaml::documents(&[mesh::installation()])?;
    let mut written = vec![File::new("istio/istiod-values.yaml", values)];
    for (name, documents) in files {
        written.push(File::new(format!("{DIR}/{name}"), yaml::documents(&documents)?));
    }
    Ok(written)
}

/// Who only calls has nothing to protect: deny-all covers it.
fn of_workload(contract: &Contract, workload: &str) -> Vec<Value> {
    let mut documents = Vec::new();
    if contract.service_of(workload).is_some() {
        documents.push(access::policy(contract, workload));
        documents.push(access::tokens(workload));
        documents.push(traffic::virtual_service(contract, workload));
        documents.push(traffic::destination_rule(workload));
    } else if workload == EDGE {
        documents.push(access::edge_policy());
    }
    documents.push(reach::sidecar(contract, workload));
    documents
}

//! The contract and everything that is made from it.

use std::collections::BTreeSet;

use crate::tree::{no_complaints, root};

#[test]
fn generated_files_are_what_the_contract_makes_of_them() {
    let root = root();
    let files = contract::generate(&root).expect("the contract obeys its rules");
    let mut complaints = Vec::new();
    for file in &files {
        let found = std::fs::read(root.join(&file.path)).unwrap_or_default();
        if found != file.contents {
            let line = first_difference(&found, &file.contents);
            complaints.push(format!("{}:{line} differs; run `make gen`", file.path.display()));
        }
    }
    no_complaints("a generated file is not what the contract says", &complaints);
}

#[test]
fn nothing_lies_among_the_generated_files_that_is_not_generated() {
    let root = root();
    let files = contract::generate(&root).expect("the contract obeys its rules");
    let known: BTreeSet<_> = files.iter().map(|f| root.join(&f.path)).collect();
    let complaints: Vec<_> = std::fs::read_dir(root.join("proto/src/gen"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| !known.contains(path))
        .map(|path| path.display().to_string())
        .collect();
    no_complaints("a file is not made from the contract", &complaints);
}

#[test]
fn every_workload_of_the_contract_is_a_service_of_the_house() {
    let contract = contract::load(&root()).expect("the contract obeys its rules");
    let complaints: Vec<_> = contract
        .workloads()
        .into_iter()
        .filter(|w| !root().join("services").join(w).join("src/main.rs").exists())
        .collect();
    no_complaints("the contract names a workload that does not exist", &complaints);
}

#[test]
fn callers_and_consumers_are_workloads() {
    let contract = contract::load(&root()).expect("the contract obeys its rules");
    let known = contract.workloads();
    let callers = contract.methods().flat_map(|(_, m)| m.policy.access.callers.clone());
    let consumers = contract.facts.iter().flat_map(|f| f.consumers.clone());
    let complaints: Vec<_> = callers.chain(consumers).filter(|w| !known.contains(w)).collect();
    no_complaints("the contract lets in or tells somebody unknown", &complaints);
}

fn first_difference(found: &[u8], wanted: &[u8]) -> usize {
    let same = found.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    found[..same].iter().filter(|b| **b == b'\n').count() + 1
}

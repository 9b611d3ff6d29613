//! The contract and everything that is made from it.

use crate::tree::{no_complaints, root};

#[test]
fn generated_files_are_what_the_contract_makes_of_them() {
    let contract = contract::load(&root()).expect("the contract obeys its rules");
    let files = contract::generate_from(&contract).expect("files");
    let differences = contract::drift::find(&root(), &contract, &files).expect("the checkout");
    let complaints: Vec<_> = differences.iter().map(ToString::to_string).collect();
    no_complaints("not what the contract says; run `make gen`", &complaints);
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
    let mut known = contract.workloads();
    known.push(contract::TOOLS.to_owned());
    let callers = contract.methods().flat_map(|(_, m)| m.policy.access.callers.clone());
    let consumers = contract.facts.iter().flat_map(|f| f.consumers.clone());
    let complaints: Vec<_> = callers.chain(consumers).filter(|w| !known.contains(w)).collect();
    no_complaints("the contract lets in or tells somebody unknown", &complaints);
}

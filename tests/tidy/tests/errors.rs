//! The errors that services answer and those that the contract lists.

use std::collections::BTreeSet;

use regex::Regex;

use crate::tree::{no_complaints, root, sources};

/// Constructors of `grpc::Problem` and the code that each gives.
const CONSTRUCTORS: [(&str, &str); 9] = [
    ("invalid", "INVALID_ARGUMENT"),
    ("unauthenticated", "UNAUTHENTICATED"),
    ("denied", "PERMISSION_DENIED"),
    ("not_found", "NOT_FOUND"),
    ("already_exists", "ALREADY_EXISTS"),
    ("precondition", "FAILED_PRECONDITION"),
    ("aborted", "ABORTED"),
    ("exhausted", "RESOURCE_EXHAUSTED"),
    ("unavailable", "UNAVAILABLE"),
];

/// `(code, reason)` of every error that a service makes by name.
fn answered(workload: &str) -> BTreeSet<(String, String)> {
    let made = Regex::new(r#"(?:Problem|Self)::(\w+)\(\s*"([A-Z0-9_]+)""#).unwrap();
    let mut found = BTreeSet::new();
    for source in sources(&format!("services/{workload}/src"), "rs") {
        // What tests make up is not answered.
        let code = source.text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        for matched in made.captures_iter(&code) {
            let code = CONSTRUCTORS.iter().find(|(name, _)| *name == &matched[1]);
            if let Some((_, code)) = code {
                found.insert(((*code).to_owned(), matched[2].to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_error_that_a_service_answers_is_in_the_contract() {
    let contract = contract::load(&root()).expect("the contract obeys its rules");
    let mut complaints = Vec::new();
    for workload in contract.workloads() {
        let methods = contract.methods().filter(|(s, _)| s.workload == workload);
        let errors = methods.flat_map(|(_, m)| m.policy.errors.clone());
        let own = errors.map(|e| (e.code, e.reason));
        let platform = contract::errors::PLATFORM.iter();
        let platform = platform.map(|e| (e.code.to_owned(), e.reason.to_owned()));
        let known: BTreeSet<_> = own.chain(platform).collect();
        let unknown = answered(&workload).into_iter().filter(|e| !known.contains(e));
        complaints.extend(unknown.map(|(c, r)| format!("{workload} answers {c} {r}")));
    }
    no_complaints("an error stands in no method's `errors`", &complaints);
}

#[test]
fn every_error_of_the_contract_is_answered_by_its_service() {
    let contract = contract::load(&root()).expect("the contract obeys its rules");
    let mut complaints = Vec::new();
    for (service, method) in contract.methods() {
        let files = sources(&format!("services/{}/src", service.workload), "rs");
        for error in &method.policy.errors {
            let literal = format!("\"{}\"", error.reason);
            if !files.iter().any(|f| f.text.contains(&literal)) {
                complaints.push(format!("{}: {}", method.path, error.reason));
            }
        }
    }
    no_complaints("nobody answers an error of the contract", &complaints);
}

#[test]
fn every_reason_of_the_guard_is_the_platforms() {
    let reason = Regex::new(r#"(?:malformed|add|refused)\(\s*"([A-Z_]+)""#).unwrap();
    let known: BTreeSet<&str> = contract::errors::PLATFORM.iter().map(|e| e.reason).collect();
    let mut found = BTreeSet::new();
    for source in sources("services/guard/src", "rs") {
        found.extend(reason.captures_iter(&source.text).map(|m| m[1].to_owned()));
    }
    assert!(found.contains("FIELD_UNKNOWN"), "the guard is read: {found:?}");
    let unknown: Vec<_> = found.into_iter().filter(|r| !known.contains(r.as_str())).collect();
    no_complaints("the guard answers what contract/src/errors.rs does not list", &unknown);
}

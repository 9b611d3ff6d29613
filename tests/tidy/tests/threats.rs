//! The documents on security: what they say is shown, is shown.

use std::collections::BTreeSet;

use regex::Regex;

use crate::tree::{no_complaints, root, sources};

const DOCUMENTS: [&str; 2] = ["docs/security/threat-model.md", "docs/security/owasp-api.md"];

#[test]
fn every_test_that_a_document_on_security_names_exists() {
    let named = Regex::new(r"`([a-z0-9_]+)::([a-z0-9_]+)`").unwrap();
    let tests =
        Regex::new(r"#\[(?:tokio::|sqlx::)?test[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:async )?fn (\w+)")
            .unwrap();
    let mut known = BTreeSet::new();
    for source in sources(".", "rs") {
        let mut folders: Vec<&str> = source.path.split('/').collect();
        folders.truncate(2);
        let place =
            folders.into_iter().find(|f| !["services", "shared", "tests", "tools"].contains(f));
        for found in tests.captures_iter(&source.text) {
            known.insert((place.unwrap_or_default().to_owned(), found[1].to_owned()));
        }
    }
    let (mut complaints, mut count) = (Vec::new(), 0);
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for found in named.captures_iter(&text) {
            count += 1;
            if !known.contains(&(found[1].to_owned(), found[2].to_owned())) {
                complaints.push(format!("{document}: {}", &found[0]));
            }
        }
    }
    assert!(count > 50, "the documents are read: {count}");
    no_complaints("there is no such test", &complaints);
}

#[test]
fn every_edge_of_the_call_graph_has_its_threats() {
    let contract = contract::load(&root()).expect("the contract obeys its rules");
    let name = Regex::new(r"`([a-z]+)`").unwrap();
    let text = std::fs::read_to_string(root().join(DOCUMENTS[0])).unwrap();
    let mut told = BTreeSet::new();
    for heading in text.lines().filter(|line| line.starts_with("### ")) {
        let Some((callers, callees)) = heading.split_once(" → ") else { continue };
        for caller in name.captures_iter(callers) {
            for callee in name.captures_iter(callees) {
                told.insert((caller[1].to_owned(), callee[1].to_owned()));
            }
        }
    }
    let complaints: Vec<_> = contract
        .calls()
        .into_iter()
        .filter(|call| !told.contains(&(call.caller.to_owned(), call.service.workload.clone())))
        .map(|call| format!("{} → {}", call.caller, call.service.workload))
        .collect();
    no_complaints("docs/security/threat-model.md says nothing about", &complaints);
}

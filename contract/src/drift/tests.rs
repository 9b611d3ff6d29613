#![allow(clippy::unwrap_used)]
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use tempfile::TempDir;

#[path = "../../tests/edits/checkout.rs"]
mod edits;

use super::*;
use edits::{checkout, root};

const ORDERS: &str = "orders/v1/orders.proto";
const PLACE: &str = "stoa.orders.v1.OrderService/PlaceOrder";

/// What each file of the checkout would be blamed for if the contract were the edited one.
fn blamed(edited: &TempDir) -> BTreeMap<String, BTreeSet<String>> {
    let contract = crate::load(edited.path()).unwrap();
    let before: BTreeMap<_, _> = crate::generate(&root())
        .unwrap()
        .into_iter()
        .map(|file| (file.path.clone(), file.contents))
        .collect();
    let mut blamed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in crate::generate_from(&contract).unwrap() {
        let empty = Vec::new();
        let found = before.get(&file.path).unwrap_or(&empty);
        for difference in compare(&contract, &file, found) {
            let What::Changed { about, .. } = difference.what else { continue };
            blamed.entry(file.path.display().to_string()).or_default().insert(about);
        }
    }
    blamed
}

#[test]
fn a_changed_deadline_is_named_with_its_method_in_every_file_that_repeats_it() {
    let edited = checkout(&[(ORDERS, "", "deadline_ms: 10000", "deadline_ms: 9000")]);
    let blamed = blamed(&edited);
    let wanted = [
        "docs/contract/methods.md",
        "envoy/descriptor.binpb",
        "envoy/edge.yaml",
        "proto/src/gen/descriptor.binpb",
        "proto/src/gen/policy.rs",
    ];
    for file in wanted {
        assert!(blamed.contains_key(file), "{file} is not named: {blamed:#?}");
    }
    for (file, about) in &blamed {
        assert_eq!(about, &BTreeSet::from([PLACE.to_owned()]), "{file}");
    }
}

#[test]
fn a_changed_promise_is_named_with_its_method() {
    let edited = checkout(&[(ORDERS, "", "latency_ms: 500", "latency_ms: 300")]);
    let blamed = blamed(&edited);
    let place = BTreeSet::from([PLACE.to_owned()]);
    assert_eq!(blamed["observability/prometheus/rules/orders.yaml"], place);
    assert_eq!(blamed["docs/contract/methods.md"], place);
    assert_eq!(blamed["proto/src/gen/descriptor.binpb"], place);
}

#[test]
fn a_new_method_is_named_wherever_it_appears() {
    let rpc = "// Orders that wait.\n  rpc CountOrders(ListOrdersRequest) returns (ListOrdersResponse) {\n    \
               option (google.api.http) = {get: \"/v1/orders:count\"};\n    \
               option (stoa.policy.v1.method) = {\n      access: {permission: \"orders:read\"}\n      \
               deadline_ms: 1000\n      slo: {availability_bp: 9990 latency_ms: 100}\n    };\n  }\n\n  \
               // The signed-in user's orders, newest first.";
    let from = "// The signed-in user's orders, newest first.";
    let blamed = blamed(&checkout(&[(ORDERS, "", from, rpc)]));
    for file in [
        "docs/contract/call-graph.md",
        "docs/contract/methods.md",
        "envoy/edge.yaml",
        "observability/prometheus/rules/orders.yaml",
        "proto/src/gen/descriptor.binpb",
        "proto/src/gen/policy.rs",
        "proto/src/gen/stoa.orders.v1.rs",
    ] {
        let named = blamed.get(file).is_some_and(|b| b.iter().any(|b| b.contains("CountOrders")));
        assert!(named, "{file}: {:?}", blamed.get(file));
    }
}

#[test]
fn a_field_is_named_in_the_descriptor_and_its_message_in_the_code() {
    let edited = checkout(&[(ORDERS, "", "string payment_id = 6;", "string payment_ref = 6;")]);
    let blamed = blamed(&edited);
    assert!(blamed["proto/src/gen/descriptor.binpb"].contains("stoa.orders.v1.Order.payment_id"));
    let code = &blamed["proto/src/gen/stoa.orders.v1.rs"];
    assert!(code.contains("stoa.orders.v1.Order"), "{code:?}");
}

#[test]
fn rest_paths_lead_to_their_method_by_the_verb() {
    let contract = crate::load(&root()).unwrap();
    let mentions = mentions::Mentions::of(&contract);
    let lines = ["  /v1/orders:", "    get:", "      x: 1", "    post:", "      x: 2"];
    assert_eq!(mentions.nearest(&lines, 2), ["stoa.orders.v1.OrderService/ListOrders"]);
    assert_eq!(mentions.nearest(&lines, 4), [PLACE]);
    let cancel = mentions.on("POST /v1/orders/{order_id}:cancel");
    assert_eq!(cancel, ["stoa.orders.v1.OrderService/CancelOrder"]);
}

#[test]
fn a_missing_file_and_a_file_too_many_are_found() {
    let dir = checkout(&[]);
    let contract = crate::load(dir.path()).unwrap();
    let files = crate::generate_from(&contract).unwrap();
    let find = || find(dir.path(), &contract, &files).unwrap();
    for file in &files {
        let path = dir.path().join(&file.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &file.contents).unwrap();
    }
    assert_eq!(find(), []);
    fs::remove_file(dir.path().join("docs/contract/events.md")).unwrap();
    fs::write(dir.path().join("envoy/README.md"), "people may write here").unwrap();
    fs::write(dir.path().join("envoy/other.yaml"), "a: 1\n").unwrap();
    fs::create_dir_all(dir.path().join("old")).unwrap();
    fs::write(dir.path().join("old/left.yaml"), crate::yaml::FIRST_LINE).unwrap();
    let found: Vec<String> = find().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "docs/contract/events.md: is missing",
            "envoy/other.yaml: is not made from the contract",
            "old/left.yaml: is not made from the contract",
        ]
    );
}

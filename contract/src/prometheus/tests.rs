#![allow(clippy::unwrap_used)]
use std::path::Path;

use serde_json::Value;

use super::*;

fn contract() -> Contract {
    crate::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// The rules of every group, by its name.
fn groups(contract: &Contract) -> Vec<(String, Vec<Value>)> {
    let mut all = Vec::new();
    for file in files(contract).unwrap() {
        let parsed: Value = serde_yaml_ng::from_slice(&file.contents).unwrap();
        for group in parsed["groups"].as_array().unwrap() {
            let name = group["name"].as_str().unwrap().to_owned();
            all.push((name, group["rules"].as_array().unwrap().clone()));
        }
    }
    all
}

#[test]
fn every_method_with_a_promise_has_its_alerts_and_no_other_has() {
    let contract = contract();
    let groups = groups(&contract);
    for (service, method) in contract.methods() {
        let name = method.path.trim_start_matches('/');
        let rules = groups.iter().find(|(group, _)| group == name).map(|(_, rules)| rules);
        assert_eq!(rules.is_some(), method.policy.slo.is_some(), "{name}");
        let Some(rules) = rules else { continue };
        let alerts: Vec<_> = rules.iter().filter(|r| r.get("alert").is_some()).collect();
        let kinds = if method.descriptor.is_server_streaming() { 1 } else { 2 };
        assert_eq!(alerts.len(), 4 * kinds, "{name}");
        for alert in alerts {
            assert_eq!(alert["labels"]["rpc_method"], name);
            assert_eq!(alert["labels"]["workload"], service.workload);
        }
    }
}

#[test]
fn thresholds_follow_the_promise() {
    let mut contract = contract();
    let method = &mut contract.services[0].methods[0];
    method.policy.slo = Some(Slo { availability_bp: 9950, latency_ms: 20 });
    let text = String::from_utf8(files(&contract).unwrap()[1].contents.clone()).unwrap();
    assert!(text.contains("> 14.4 * 0.005\n"), "{text}");
    assert!(text.contains("le=\"0.02\""), "{text}");
    assert!(text.contains("99 % are answered within 20 ms"), "{text}");
}

#[test]
fn a_promise_that_no_alert_could_ever_watch_is_refused() {
    let refused = |availability_bp, latency_ms| {
        let mut contract = contract();
        contract.services[0].methods[0].policy.slo = Some(Slo { availability_bp, latency_ms });
        files(&contract).unwrap_err().to_string()
    };
    assert!(refused(10_000, 20).contains("all the time"));
    assert!(refused(9_000, 20).contains("never be missed fast enough"));
    assert!(refused(9_990, 60_000).contains("past the deadline"));
}

/// A test of an alert on a method that does not exist would always be content.
#[test]
fn the_alerts_tests_name_methods_that_exist() {
    let contract = contract();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../observability/prometheus/tests");
    let mut seen = 0;
    for entry in std::fs::read_dir(tests).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for path in text.split("rpc_method=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(contract.method(&format!("/{path}")).is_some(), "{path}");
            seen += 1;
        }
    }
    assert!(seen > 20);
}

//! What the overlays install.

use std::collections::BTreeMap;
use std::process::Command;

use manifests::{OVERLAYS, Objects};
use serde::Deserialize as _;
use serde_json::Value;

use crate::{overlay, overlay_with, root};

#[test]
fn every_overlay_keeps_every_rule() {
    let mut found = Vec::new();
    for name in OVERLAYS {
        let objects = Objects::new(overlay(name));
        let checks = manifests::all();
        for check in &checks {
            let broken = (check.run)(&objects);
            found.extend(broken.into_iter().map(|why| format!("{name}: {}: {why}", check.rule)));
        }
        println!("{name}: {} objects keep {} rules", objects.0.len(), checks.len());
    }
    assert!(found.is_empty(), "\n  {}", found.join("\n  "));
}

/// By kind, namespace and name: the order says nothing.
pub fn by_place(objects: Vec<Value>) -> BTreeMap<String, Value> {
    let place = |o: &Value| {
        format!(
            "{} {} {}/{}",
            o["apiVersion"], o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]
        )
    };
    objects.into_iter().map(|object| (place(&object), object)).collect()
}

/// With one way to write a number: 20.0 is 20.
pub fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Number(number) => number.as_f64().into(),
        other => other.clone(),
    }
}

#[test]
fn kustomize_renders_the_same_where_it_is_installed() {
    for name in OVERLAYS {
        let dir = root().join("k8s/overlays").join(name);
        let Ok(output) = Command::new("kubectl").arg("kustomize").arg(&dir).output() else {
            println!("there is no kubectl on this machine: not compared");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let theirs: Vec<Value> = serde_yaml_ng::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).unwrap())
            .collect();
        let (ours, theirs) = (by_place(overlay(name)), by_place(theirs));
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        for (place, object) in &ours {
            assert_eq!(plain(object), plain(&theirs[place]), "{name}: {place}");
        }
        println!("{name}: kustomize renders the same {} objects", ours.len());
    }
}

#[test]
fn production_runs_every_workload_of_the_contract_and_the_edge() {
    let contract = contract::load(&root()).unwrap();
    let objects = Objects::new(overlay("production"));
    for workload in contract.workloads().into_iter().chain(["edge".to_owned()]) {
        for kind in ["Deployment", "Service", "ServiceAccount", "HorizontalPodAutoscaler"] {
            assert!(objects.find(kind, "stoa", &workload).is_some(), "{kind} {workload}");
        }
    }
}

#[test]
fn another_release_and_another_host_reach_every_place() {
    let objects = overlay_with("production", &|key| match key {
        "release" => Value::from("1.2.3"),
        "publicHost" => Value::from("other.example"),
        "paymentProviderHost" => Value::from("pay.example"),
        "smtpHost" => Value::from("mail.example"),
        _ => Value::from("elsewhere.example"),
    });
    let text = serde_json::to_string(&objects).unwrap();
    for left in [":0.1.0", "-0.1.0", "example.com", "example\\.com", "192.0.2"] {
        assert!(!text.contains(left), "{left} is left in {:?}", around(&text, left));
    }
    let objects = Objects::new(objects);
    for check in manifests::all().iter().filter(|check| !check.rule.contains("pinned")) {
        assert_eq!((check.run)(&objects), Vec::<String>::new(), "{}", check.rule);
    }
}

fn around<'a>(text: &'a str, what: &str) -> &'a str {
    let at = text.find(what).unwrap();
    &text[at.saturating_sub(60)..(at + 40).min(text.len())]
}

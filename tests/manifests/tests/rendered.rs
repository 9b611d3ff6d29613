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
    for overlay in ["production", "self-hosted"] {
        let objects = overlay_with(overlay, &|key| match key {
            "release" => Value::from("1.2.3"),
            "publicHost" => Value::from("other.example"),
            "paymentProviderHost" => Value::from("pay.example"),
            "smtpHost" => Value::from("mail.example"),
            "metricsStorage" => Value::from("90Gi"),
            "metricsRetentionSize" => Value::from("70GB"),
            _ => Value::from("elsewhere.example"),
        });
        let text = serde_json::to_string(&objects).unwrap();
        let defaults =
            [":0.1.0", "-0.1.0", "example.com", "example\\.com", "192.0.2", "40GB", "000000000000"];
        for left in defaults {
            assert!(!text.contains(left), "{left} is left in {:?}", around(&text, left));
        }
        let objects = Objects::new(objects);
        for check in manifests::all().iter().filter(|check| !check.rule.contains("pinned")) {
            assert_eq!((check.run)(&objects), Vec::<String>::new(), "{overlay}: {}", check.rule);
        }
    }
}

#[test]
fn secrets_may_come_from_elsewhere_and_every_rule_is_kept() {
    for source in ["secrets-vault", "secrets-sealed"] {
        let objects = variation("production", &|line| line.replace("secrets-aws", source));
        let objects = Objects::new(objects.unwrap());
        let kinds = ["ExternalSecret", "SealedSecret"];
        let made = kinds.iter().flat_map(|kind| objects.of(kind)).count();
        assert_eq!(made, 10, "of seven services and three who watch");
        for check in &manifests::all() {
            let found = (check.run)(&objects);
            assert_eq!(found, Vec::<String>::new(), "{source}: {}", check.rule);
        }
    }
}

#[test]
fn without_a_bucket_an_installation_with_backups_is_refused_and_told_why() {
    let settings = |line: &str| {
        let here = root().join("k8s/overlays/local/settings.yaml");
        line.replace("settings.yaml", &here.display().to_string())
    };
    let error = variation("self-hosted", &settings).unwrap_err();
    assert!(format!("{error:#}").contains("stoa-settings has no data.backupBucket"), "{error:#}");
}

#[test]
fn the_way_back_that_is_written_down_renders_and_keeps_every_rule() {
    let text = std::fs::read_to_string(root().join("docs/operations/backup.md")).unwrap();
    let (_, patch) = text.split_once("```yaml\npatches:\n").unwrap();
    let (patch, _) = patch.split_once("```").unwrap();
    let with = |line: &str| match line {
        "patches:" => format!("patches:\n{patch}"),
        line => line.to_owned(),
    };
    let objects = Objects::new(variation("self-hosted", &with).unwrap());
    let database = objects.find("Cluster", "stoa-data", "orders-postgres").unwrap();
    let before = &database.at("/spec/externalClusters/0/barmanObjectStore");
    let now = database.at("/spec/backup/barmanObjectStore");
    for same in ["destinationPath", "endpointURL", "s3Credentials"] {
        assert_eq!(before[same], now[same], "{same}: it comes from where it went");
    }
    assert_eq!(before["serverName"], "orders-postgres");
    assert_ne!(before["serverName"], now["serverName"], "it would write over what it came from");
    for check in &manifests::all() {
        assert_eq!((check.run)(&objects), Vec::<String>::new(), "{}", check.rule);
    }
}

/// An overlay with other lines in its kustomization, from a directory of its own.
fn variation(name: &str, line: &dyn Fn(&str) -> String) -> anyhow::Result<Vec<Value>> {
    let overlay = root().join("k8s/overlays").join(name);
    let text = std::fs::read_to_string(overlay.join("kustomization.yaml"))?;
    let dir = tempfile::tempdir()?;
    let k8s = root().join("k8s").display().to_string();
    let own = overlay.join("settings.yaml").display().to_string();
    let text: String = text
        .lines()
        .map(|text| line(text).replace("../..", &k8s) + "\n")
        .collect::<String>()
        .replace("- settings.yaml", &format!("- {own}"));
    std::fs::write(dir.path().join("kustomization.yaml"), text)?;
    manifests::render(dir.path())
}

#[test]
fn people_are_told_of_everything_that_only_they_can_make() {
    let install = root().join("docs/operations/install.md");
    let install = std::fs::read_to_string(install).unwrap();
    for made in &manifests::BY_HAND {
        let kind = if made.kind == "Secret" { "secret generic" } else { "configmap" };
        let command = format!("kubectl -n {} create {kind} {}", made.namespace, made.name);
        let says = |line: &&str| {
            let has = |key: &&str| line.contains(&format!(" --from-file={key}"));
            line.contains(&command) && made.keys.iter().all(has)
        };
        assert!(install.lines().any(|line| says(&line)), "`{command}` with {:?}", made.keys);
    }
}

fn around<'a>(text: &'a str, what: &str) -> &'a str {
    let at = text.find(what).unwrap();
    &text[at.saturating_sub(60)..(at + 40).min(text.len())]
}

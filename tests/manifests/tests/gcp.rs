//! An installation in Google Cloud: production, with its secrets from Secret Manager.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use manifests::{Object, Objects};
use regex::Regex;
use serde_json::Value;

use crate::root;

/// What `terraform output -json settings` prints there and nowhere else.
const SETTINGS: [(&str, &str); 4] = [
    ("gcpProject", "elsewhere-7"),
    ("gcpAccounts", "elsewhere-7.iam.gserviceaccount.com"),
    ("gcpName", "stoa-elsewhere"),
    ("cartRedisAddress", "10.77.225.3"),
];

/// Production as it is, but for where secrets come from.
fn rendered() -> Objects {
    let overlay = root().join("k8s/overlays/production");
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(overlay.join("kustomization.yaml")).unwrap();
    let k8s = root().join("k8s").display().to_string();
    let text = text.replace("../..", &k8s).replace("secrets-aws", "secrets-gcp");
    fs::write(dir.path().join("kustomization.yaml"), text).unwrap();
    let mut settings = String::new();
    for line in fs::read_to_string(overlay.join("settings.yaml")).unwrap().lines() {
        if !line.contains("aws") {
            settings += line;
            settings.push('\n');
        }
    }
    for (key, value) in SETTINGS {
        settings += &format!("  {key}: \"{value}\"\n");
    }
    fs::write(dir.path().join("settings.yaml"), settings).unwrap();
    Objects::new(manifests::render(dir.path()).unwrap())
}

fn texts<'a>(values: &'a Value, name: &str) -> BTreeSet<&'a str> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value["remoteRef"][name].as_str().unwrap()).collect()
}

#[test]
fn an_installation_in_google_cloud_keeps_every_rule() {
    let objects = rendered();
    for check in &manifests::all() {
        let mut found = (check.run)(&objects);
        if check.rule.starts_with("every host that a setting names") {
            // The rule knows names. This is an address, and the mesh knows it too: see below.
            found.retain(|complaint| !complaint.contains("10.77.225.3"));
        }
        assert_eq!(found, Vec::<String>::new(), "{}", check.rule);
    }
}

#[test]
fn settings_of_google_reach_every_place() {
    let objects: Vec<Value> = rendered().0.into_iter().map(|object| object.0).collect();
    let text = serde_json::to_string(&objects).unwrap();
    for left in ["shop-000000", "stoa-production_", "192.0.2.6", "amazonaws", "rds.pem"] {
        assert!(!text.contains(left), "{left} is left");
    }
    for (_, value) in SETTINGS {
        assert!(text.contains(value), "{value} is nowhere");
    }
}

#[test]
fn every_secret_is_read_as_its_own_account_and_is_its_own() {
    let objects = rendered();
    let secrets: Vec<&Object> = objects.of("ExternalSecret").collect();
    assert_eq!(secrets.len(), 10, "of seven services and three who watch");
    for secret in secrets {
        let (name, namespace) = (secret.name(), secret.namespace());
        let expected = format!("stoa-elsewhere_{name}");
        assert_eq!(texts(secret.at("/spec/data"), "key"), BTreeSet::from([expected.as_str()]));
        let store = secret.at("/spec/secretStoreRef/name").as_str().unwrap();
        let store = objects.find("SecretStore", namespace, store).unwrap();
        let account = store.at("/spec/provider/gcpsm/auth/workloadIdentity/serviceAccountRef/name");
        assert_eq!(account, name, "{store}");
        let account = objects.find("ServiceAccount", namespace, name).unwrap();
        let google = account.at("/metadata/annotations/iam.gke.io~1gcp-service-account");
        assert_eq!(google, &format!("stoa-{name}@elsewhere-7.iam.gserviceaccount.com"));
    }
}

#[test]
fn terraform_makes_the_secrets_that_are_asked_for() {
    let path = root().join("terraform/gcp/modules/platform/main.tf");
    let text = fs::read_to_string(path).unwrap();
    let line = Regex::new(r#"(?m)^    (\w+) += \[(".*")\]$"#).unwrap();
    let made: BTreeMap<&str, BTreeSet<&str>> = line
        .captures_iter(&text)
        .map(|found| {
            let (_, [name, fields]) = found.extract();
            (name, fields.split(", ").map(|field| field.trim_matches('"')).collect())
        })
        .collect();
    let objects = rendered();
    let asked: BTreeMap<&str, BTreeSet<&str>> = objects
        .of("ExternalSecret")
        .map(|secret| (secret.name(), texts(secret.at("/spec/data"), "property")))
        .collect();
    assert_eq!(asked, made);
}

#[test]
fn carts_are_reached_where_memorystore_speaks_tls() {
    let objects = rendered();
    let entry = objects.find("ServiceEntry", "stoa-data", "cart-redis").unwrap();
    assert_eq!(entry.at("/spec/ports/0/number"), 6378);
    assert_eq!(entry.at("/spec/addresses/0"), "10.77.225.3");
    let policy = objects.find("NetworkPolicy", "stoa", "cart-to-redis").unwrap();
    assert_eq!(policy.at("/spec/egress/0/ports/0/port"), 6378);
    let secret = objects.find("ExternalSecret", "stoa", "cart").unwrap();
    let url = secret.at("/spec/target/template/data/REDIS_URL").as_str().unwrap();
    assert!(url.starts_with("rediss://") && url.ends_with(r#"@{{ "10.77.225.3" }}:6378"#), "{url}");
}

//! An installation in Google Cloud: production, with its secrets from Secret Manager and its broker in the cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use manifests::{Object, Objects};
use regex::Regex;
use serde_json::Value;

use crate::{overlay, overlay_with, root};

/// What `terraform output -json settings` prints there and nowhere else.
const SETTINGS: [(&str, &str); 4] = [
    ("gcpProject", "elsewhere-7"),
    ("gcpAccounts", "elsewhere-7.iam.gserviceaccount.com"),
    ("gcpName", "stoa-elsewhere"),
    ("cartRedisAddress", "10.77.225.3"),
];

/// The overlay with other settings.
fn rendered() -> Objects {
    Objects::new(overlay_with("google", &|key| {
        let own = SETTINGS.iter().find(|(name, _)| *name == key);
        let kept = manifests::chart::settings(&root(), "google").unwrap();
        Value::from(own.map_or_else(|| kept[key].clone(), |(_, value)| (*value).to_owned()))
    }))
}

/// The overlay with somebody else's broker, in the same region.
fn with_a_broker_from_elsewhere() -> Objects {
    let overlay = root().join("k8s/overlays/google");
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(overlay.join("kustomization.yaml")).unwrap();
    let k8s = root().join("k8s").display().to_string();
    let text = text
        .replace("- ../../components/broker-self-hosted/observability\n", "")
        .replace("- ../../components/secrets-gcp/broker\n", "")
        .replace("broker-self-hosted", "broker-managed")
        .replace("../..", &k8s);
    fs::write(dir.path().join("kustomization.yaml"), text).unwrap();
    let mut settings = fs::read_to_string(overlay.join("settings.yaml")).unwrap();
    settings += "  rabbitmqHost: broker.elsewhere.example\n";
    fs::write(dir.path().join("settings.yaml"), settings).unwrap();
    Objects::new(manifests::render(dir.path()).unwrap())
}

/// Whether an ExternalSecret is read from Google.
fn of_google(objects: &Objects, secret: &Object) -> bool {
    let store = secret.at("/spec/secretStoreRef/name").as_str().unwrap_or_default();
    let store = objects.find("SecretStore", secret.namespace(), store);
    store.is_some_and(|store| store.at("/spec/provider/gcpsm").is_object())
}

/// Of what a secret reads from Google, but not of what it reads in the cluster.
fn fields<'a>(secret: &'a Object, name: &str) -> BTreeSet<&'a str> {
    let values = secret.at("/spec/data").as_array().unwrap().iter();
    let google = values.filter(|value| value["sourceRef"].is_null());
    google.map(|value| value["remoteRef"][name].as_str().unwrap()).collect()
}

#[test]
fn an_installation_in_google_cloud_keeps_every_rule() {
    for objects in [rendered(), with_a_broker_from_elsewhere()] {
        for check in &manifests::all() {
            assert_eq!((check.run)(&objects), Vec::<String>::new(), "{}", check.rule);
        }
    }
}

#[test]
fn settings_of_google_reach_every_place() {
    let objects: Vec<Value> = rendered().0.into_iter().map(|object| object.0).collect();
    let text = serde_json::to_string(&objects).unwrap();
    for left in [
        "shop-000000",
        "stoa-000000000000",
        "stoa-production_",
        "192.0.2.6",
        "10.20.0.7",
        "amazonaws",
        "rds.pem",
    ] {
        assert!(!text.contains(left), "{left} is left");
    }
    for (_, value) in SETTINGS {
        assert!(text.contains(value), "{value} is nowhere");
    }
}

#[test]
fn every_secret_is_read_as_its_own_account_and_is_its_own() {
    let objects = rendered();
    let secrets: Vec<&Object> =
        objects.of("ExternalSecret").filter(|s| of_google(&objects, s)).collect();
    assert_eq!(secrets.len(), 10, "of seven services and three who watch");
    for secret in secrets {
        let (name, namespace) = (secret.name(), secret.namespace());
        let expected = format!("stoa-elsewhere_{name}");
        let google = fields(secret, "key");
        assert_eq!(google, BTreeSet::from([expected.as_str()]));
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
    let mut made: BTreeMap<String, BTreeSet<String>> = line
        .captures_iter(&text)
        .map(|found| {
            let (_, [name, fields]) = found.extract();
            let fields = fields.split(", ").map(|field| field.trim_matches('"').to_owned());
            (name.to_owned(), fields.collect())
        })
        .collect();
    let asked = |objects: &Objects| -> BTreeMap<String, BTreeSet<String>> {
        let secrets = objects.of("ExternalSecret").filter(|secret| of_google(objects, secret));
        let owned = |secret| fields(secret, "property").into_iter().map(str::to_owned).collect();
        secrets.map(|secret| (secret.name().to_owned(), owned(secret))).collect()
    };
    assert_eq!(asked(&with_a_broker_from_elsewhere()), made);
    // Of a broker in the cluster nobody types anything.
    for fields in made.values_mut() {
        fields.remove("AMQP_URL");
    }
    assert_eq!(asked(&rendered()), made);
}

#[test]
fn the_broker_is_in_the_cluster_and_services_read_what_its_operator_made() {
    let objects = rendered();
    assert!(objects.find("RabbitmqCluster", "stoa-data", "rabbitmq").is_some());
    assert!(objects.find("ServiceEntry", "stoa-data", "rabbitmq").is_none());
    let policy = objects.find("NetworkPolicy", "stoa", "orders-to-broker").unwrap();
    assert!(policy.at("/spec/egress/0/to/0/podSelector").is_object(), "{policy}");
    let secret = objects.find("ExternalSecret", "stoa", "orders").unwrap();
    let url = secret.at("/spec/target/template/data/AMQP_URL").as_str().unwrap();
    assert!(url.contains("@rabbitmq.stoa-data.svc.cluster.local:5671/stoa?cacertfile="), "{url}");
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

#[test]
fn what_is_read_in_the_cluster_and_an_address_are_under_the_rules_too() {
    let broken = |kind: &str, name: &str, how: fn(&mut Value)| {
        let mut objects = overlay("google");
        let found = objects.iter_mut().find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
        how(found.unwrap());
        let objects = Objects::new(objects);
        manifests::all().iter().flat_map(|check| (check.run)(&objects)).collect::<Vec<_>>()
    };
    let found = broken("Role", "orders-secrets", |role| {
        role["rules"][0]["resourceNames"] = serde_json::json!(["store-authorities"]);
    });
    let said = |what: &str| found.iter().any(|complaint| complaint.contains(what));
    assert!(said("orders may not read stoa-data/rabbitmq-default-user"), "{found:?}");
    let found = broken("ServiceEntry", "cart-redis", |entry| {
        entry["spec"]["addresses"] = serde_json::json!(["10.20.0.8"]);
    });
    assert!(found.iter().any(|complaint| complaint.contains("10.20.0.7")), "{found:?}");
}

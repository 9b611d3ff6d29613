//! Every rule refuses an installation that breaks it.

use std::collections::BTreeSet;

use manifests::Objects;
use serde_json::{Value, json};

use crate::overlay;

/// An operation on one object: kind, name, how.
type Break = (&'static str, &'static str, fn(&mut Value));

/// A rule, what breaks it, and what is said then.
const TABLE: &[(&str, Break, &str)] = &[
    (
        "an object is there once",
        ("Service", "cart", |o| o["metadata"]["name"] = json!("orders")),
        "twice",
    ),
    (
        "every namespace that is used exists",
        ("PodDisruptionBudget", "cart", |o| o["metadata"]["namespace"] = json!("shop")),
        "nobody makes the namespace",
    ),
    (
        "every Service has a workload, whose pods open its ports",
        ("Service", "orders", |o| o["spec"]["selector"]["app.kubernetes.io/name"] = json!("order")),
        "no workload has the labels",
    ),
    (
        "every Service has a workload, whose pods open its ports",
        ("Service", "orders", |o| o["spec"]["ports"][0]["targetPort"] = json!("http")),
        "does not open",
    ),
    (
        "every Service has a workload, whose pods open its ports",
        // Then the job that migrates is a place for requests.
        ("Service", "orders", |o| {
            remove(&mut o["spec"]["selector"], "app.kubernetes.io/component")
        }),
        "Job stoa/orders-migrate",
    ),
    (
        "every policy selects something",
        ("NetworkPolicy", "orders-to-broker", |o| {
            o["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] = json!("order");
        }),
        "selects nothing",
    ),
    (
        "every policy selects something",
        ("Sidecar", "cart", |o| {
            o["spec"]["workloadSelector"]["labels"]["app.kubernetes.io/name"] = json!("carts");
        }),
        "selects nothing",
    ),
    (
        "every namespace with pods denies what no policy allows",
        ("NetworkPolicy", "default-deny", |o| o["spec"]["policyTypes"] = json!(["Ingress"])),
        "no policy denies by default",
    ),
    (
        "every autoscaler has what it scales, and every Deployment an autoscaler",
        ("HorizontalPodAutoscaler", "edge", |o| {
            o["spec"]["scaleTargetRef"]["name"] = json!("envoy")
        }),
        "there is no Deployment envoy",
    ),
    (
        "every autoscaler has what it scales, and every Deployment an autoscaler",
        ("HorizontalPodAutoscaler", "edge", |o| {
            o["spec"]["metrics"][0]["containerResource"]["container"] = json!("edge");
        }),
        "has no container",
    ),
    (
        "every Deployment has a disruption budget and is spread",
        ("PodDisruptionBudget", "cart", |o| {
            o["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = json!("orders");
        }),
        "Deployment stoa/cart has no disruption budget",
    ),
    (
        "every Deployment has a disruption budget and is spread",
        ("Deployment", "cart", |o| {
            pod(o)["topologySpreadConstraints"][0]["topologyKey"] = json!("zone");
        }),
        "is not spread over topology.kubernetes.io/zone",
    ),
    (
        "every pod has the service account that is called like its workload",
        ("Deployment", "cart", |o| pod(o)["serviceAccountName"] = json!("orders")),
        "is \"cart\" by its label and orders by its account",
    ),
    (
        "every pod has the service account that is called like its workload",
        ("Deployment", "cart", |o| pod(o)["automountServiceAccountToken"] = json!(true)),
        "mounts a token",
    ),
    (
        "every host that the mesh names exists, with its port",
        ("DestinationRule", "cart", |o| o["spec"]["host"] = json!("carts.stoa.svc.cluster.local")),
        "carts.stoa.svc.cluster.local does not exist",
    ),
    (
        "every host that the mesh names exists, with its port",
        ("VirtualService", "shop", |o| {
            o["spec"]["http"][0]["route"][0]["destination"]["port"]["number"] = json!(8443);
        }),
        ":8443 does not exist",
    ),
    (
        "every host that the mesh names exists, with its port",
        ("ServiceEntry", "smtp", |o| o["spec"]["hosts"][0] = json!("mail.example.com")),
        "Sidecar stoa/notifications: smtp.",
    ),
    (
        "every host that a setting names exists, with its port",
        ("Deployment", "orders", |o| {
            setting(o, "CART_URL", "http://cart.stoa.svc.cluster.local:50051");
        }),
        "not at Some(50051)",
    ),
    (
        "every host that a pod is told of is known to its sidecar",
        ("Deployment", "cart", |o| {
            setting(o, "CATALOG_URL", "http://orders.stoa.svc.cluster.local:8080");
        }),
        "does not know orders.stoa.svc.cluster.local",
    ),
    (
        "every subset that a route leads to is declared",
        ("DestinationRule", "cart", |o| o["spec"]["subsets"][1]["name"] = json!("next")),
        "has no subset canary",
    ),
    (
        "every gateway that a route is for exists, and opens its hosts",
        ("Gateway", "shop", |o| o["metadata"]["name"] = json!("door")),
        "there is no gateway stoa/shop",
    ),
    (
        "every gateway that a route is for exists, and opens its hosts",
        ("VirtualService", "shop", |o| o["spec"]["hosts"][0] = json!("other.example")),
        "does not open other.example",
    ),
    (
        "every principal that a policy lets in exists",
        ("ServiceAccount", "edge", |o| o["metadata"]["name"] = json!("envoy")),
        "nobody is stoa.local/ns/stoa/sa/edge",
    ),
    (
        "every service of the mesh asks for mutual TLS",
        ("PeerAuthentication", "default", |o| o["spec"]["mtls"]["mode"] = json!("PERMISSIVE")),
        "lets plain text in",
    ),
    (
        "every service of the mesh asks for mutual TLS",
        ("DestinationRule", "cart", |o| {
            o["spec"]["trafficPolicy"]["tls"]["mode"] = json!("DISABLE")
        }),
        "sends plain text",
    ),
    (
        "every image is pinned",
        ("Deployment", "cart", |o| {
            container(o)["image"] = json!("registry.example.com/stoa/cart:latest")
        }),
        "is not pinned",
    ),
    (
        "every image is pinned",
        ("Deployment", "edge", |o| container(o)["image"] = json!("envoyproxy/envoy:v1.40.0")),
        "names no registry",
    ),
    (
        "every probe's port exists",
        ("Deployment", "cart", |o| container(o)["readinessProbe"]["grpc"]["port"] = json!(50051)),
        "asked at 50051",
    ),
    (
        "every container that lasts says whether it is ready and alive",
        ("Deployment", "cart", |o| remove(container(o), "readinessProbe")),
        "no readinessProbe",
    ),
    (
        "every container asks for what it needs and has an end to its memory",
        ("Deployment", "cart", |o| remove(&mut container(o)["resources"], "limits")),
        "no limit of memory",
    ),
    (
        "every pod is restricted",
        ("Deployment", "cart", |o| pod(o)["securityContext"]["runAsNonRoot"] = json!(false)),
        "may run as root",
    ),
    (
        "every pod is restricted",
        ("Job", "orders-migrate-0.1.0", |o| {
            container(o)["securityContext"]["readOnlyRootFilesystem"] = json!(false);
        }),
        "may write to its image",
    ),
    (
        "a pod has longer to end than it drains",
        ("Deployment", "cart", |o| pod(o)["terminationGracePeriodSeconds"] = json!(10)),
        "killed before it has drained",
    ),
    (
        "every Secret and ConfigMap that is mounted exists",
        ("ExternalSecret", "cart", |o| o["spec"]["target"]["name"] = json!("carts")),
        "nobody makes the Secret cart-secrets",
    ),
    (
        "every mount has its volume",
        ("Deployment", "cart", |o| pod(o)["volumes"][0]["name"] = json!("passwords")),
        "there is no volume \"secrets\"",
    ),
    (
        "every secret that is read from a file is in the Secret that is mounted there",
        ("ExternalSecret", "orders", |o| o["spec"]["data"][0]["secretKey"] = json!("PG_URL")),
        "AMQP_URL_FILE is in no Secret",
    ),
    (
        "whoever waits for a schema has a job that makes it, of the same release",
        ("Job", "orders-migrate-0.1.0", |o| {
            container(o)["image"] = json!("registry.example.com/stoa/orders:0.0.9");
        }),
        "no job makes the schema",
    ),
    (
        "whoever waits for a schema has a job that makes it, of the same release",
        ("Job", "orders-migrate-0.1.0", |o| o["metadata"]["name"] = json!("orders-migrate")),
        "is not called after the release",
    ),
    (
        "a canary is given its share of every route",
        ("Rollout", "orders", |o| {
            let istio = &mut o["spec"]["strategy"]["canary"]["trafficRouting"]["istio"];
            istio["virtualServices"][0]["routes"].as_array_mut().unwrap().pop();
        }),
        "is not in both",
    ),
    (
        "a canary is given its share of every route",
        ("VirtualService", "orders", |o| {
            o["spec"]["http"][0]["route"].as_array_mut().unwrap().pop();
        }),
        "does not lead to both",
    ),
    (
        "every analysis of a release exists",
        ("AnalysisTemplate", "promises", |o| o["metadata"]["name"] = json!("promise")),
        "there is no AnalysisTemplate promises",
    ),
];

fn pod(object: &mut Value) -> &mut Value {
    &mut object["spec"]["template"]["spec"]
}

fn container(object: &mut Value) -> &mut Value {
    &mut pod(object)["containers"][0]
}

fn remove(object: &mut Value, field: &str) {
    object.as_object_mut().unwrap().remove(field).unwrap();
}

fn setting(object: &mut Value, name: &str, value: &str) {
    let all = container(object)["env"].as_array_mut().unwrap();
    all.iter_mut().find(|setting| setting["name"] == name).unwrap()["value"] = json!(value);
}

#[test]
fn every_rule_refuses_what_breaks_it() {
    let whole = overlay("production");
    let checks = manifests::all();
    for (rule, (kind, name, how), said) in TABLE {
        let mut objects = whole.clone();
        let object = objects.iter_mut().find(|o| {
            o["kind"] == *kind
                && o["metadata"]["name"] == *name
                && o["metadata"]["namespace"] != "stoa-data"
        });
        how(object.unwrap_or_else(|| panic!("there is no {kind} {name}")));
        let check = checks.iter().find(|check| check.rule == *rule);
        let check = check.unwrap_or_else(|| panic!("there is no rule {rule:?}"));
        let found = (check.run)(&Objects::new(objects));
        assert!(found.iter().any(|why| why.contains(said)), "{rule}: {said}: {found:?}");
    }
    let tried: BTreeSet<&str> = TABLE.iter().map(|(rule, ..)| *rule).collect();
    let all: BTreeSet<&str> = checks.iter().map(|check| check.rule).collect();
    assert_eq!(tried, all, "a rule that nothing breaks");
    println!("{} rules refuse {} broken installations", all.len(), TABLE.len());
}

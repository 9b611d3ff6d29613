//! Whether network policies let those meet who are told of each other.

use serde_json::Value;

use super::{Rule, told};
use crate::object::{Object, Objects, Pods, has_all, items, means, texts};

pub(super) const CHECKS: &[Rule] = &[
    ("the way to every host that a pod is told of is open at both ends", settings),
    ("the way to everything that Prometheus asks is open at both ends", metrics),
];

/// Pods, and the port at which they are meant.
type Place<'a> = (Pods<'a>, u64);

/// Where a name in the cluster leads; nowhere, where others install it.
fn places<'a>(objects: &'a Objects, host: &str, port: u64) -> Vec<Place<'a>> {
    let Some((name, rest)) = host.split_once('.') else { return Vec::new() };
    let namespace = rest.split('.').next().unwrap_or_default();
    let Some(service) = objects.find("Service", namespace, name) else {
        let all = objects.pods().filter(|pods| pods.namespace() == namespace);
        return all.filter(|pods| serves(pods.owner, name)).map(|pods| (pods, port)).collect();
    };
    let ports = items(service.at("/spec/ports"));
    let target = ports.into_iter().find(|p| p["port"] == port).map(|p| &p["targetPort"]);
    let selected = objects.pods().filter(|pods| {
        pods.namespace() == namespace
            && has_all(&Value::Object(pods.labels.clone()), service.at("/spec/selector"))
    });
    selected.filter_map(|pods| number(pods.owner, target?).map(|port| (pods, port))).collect()
}

/// A port's number, by its name or as it is.
fn number(owner: &Object, port: &Value) -> Option<u64> {
    let all = owner.containers();
    let mut ports = all.iter().flat_map(|container| items(&container["ports"]));
    let named = || ports.find(|open| open["name"] == *port)?["containerPort"].as_u64();
    port.as_u64().or_else(named)
}

/// Whether an operator makes a Service of this name for its pods.
pub(super) fn serves(owner: &Object, service: &str) -> bool {
    match owner.kind() {
        "RabbitmqCluster" => owner.name() == service,
        "Prometheus" => service == "prometheus-operated",
        "Alertmanager" => service == "alertmanager-operated",
        "Cluster" => items(owner.at("/spec/managed/services/additional"))
            .iter()
            .any(|made| made["serviceTemplate"]["metadata"]["name"] == service),
        _ => false,
    }
}

fn settings(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for from in objects.pods() {
        let mut hosts = told::hosts(objects, from.owner);
        for other in items(from.owner.at("/spec/alerting/alertmanagers")) {
            let of = |field: &str| other[field].as_str().unwrap_or_default();
            hosts.push((
                format!("{}.{}.svc.cluster.local", of("name"), of("namespace")),
                Some(9093),
            ));
        }
        for (host, port) in hosts {
            for (to, port) in port.map(|p| places(objects, &host, p)).unwrap_or_default() {
                found.extend(closed(objects, &from, &to, port));
            }
        }
    }
    found
}

fn metrics(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    let monitors = objects.of("PodMonitor").chain(objects.of("ServiceMonitor"));
    let asked: Vec<Place<'_>> = monitors.flat_map(|monitor| targets(objects, monitor)).collect();
    for from in objects.pods().filter(|pods| pods.owner.kind() == "Prometheus") {
        for (to, port) in &asked {
            found.extend(closed(objects, &from, to, *port));
        }
    }
    found
}

fn targets<'a>(objects: &'a Objects, monitor: &Object) -> Vec<Place<'a>> {
    let elsewhere = texts(monitor.at("/spec/namespaceSelector/matchNames"));
    let there = |namespace: &str| {
        elsewhere.contains(&namespace) || (elsewhere.is_empty() && namespace == monitor.namespace())
    };
    let selector = monitor.at("/spec/selector");
    let pods = || objects.pods().filter(|pods| there(pods.namespace()));
    let mut found = Vec::new();
    for endpoint in items(monitor.at("/spec/podMetricsEndpoints")) {
        let Some(port) = endpoint["portNumber"].as_u64() else { continue };
        // Jobs have ended before anybody asks them.
        let lasting = pods().filter(|pods| pods.are(selector) && pods.owner.lasts());
        found.extend(lasting.map(|pods| (pods, port)));
    }
    for endpoint in items(monitor.at("/spec/endpoints")) {
        if let Some(port) = endpoint["targetPort"].as_u64() {
            found.extend(pods().filter(|pods| pods.are(selector)).map(|pods| (pods, port)));
        }
        for service in objects.of("Service").filter(|service| there(service.namespace())) {
            let labels = service.at("/metadata/labels").as_object();
            if !labels.is_some_and(|labels| means(selector, labels)) {
                continue;
            }
            let ports = items(service.at("/spec/ports"));
            let port = ports.into_iter().find(|port| port["name"] == endpoint["port"]);
            let Some(port) = port.and_then(|port| port["port"].as_u64()) else { continue };
            let host = format!("{}.{}.svc.cluster.local", service.name(), service.namespace());
            found.extend(places(objects, &host, port));
        }
    }
    found
}

/// Why nothing gets there; nothing where it does.
fn closed(objects: &Objects, from: &Pods<'_>, to: &Pods<'_>, port: u64) -> Option<String> {
    let out = allows(objects, from, "Egress", ("egress", "to"), to, port);
    let into = allows(objects, to, "Ingress", ("ingress", "from"), from, port);
    let which = match (out, into) {
        (true, true) => return None,
        (false, _) => "is not let out",
        _ => "is not let in",
    };
    Some(format!("{}: {which} to {} at {port}", from.owner, to.owner))
}

/// Whether policies of one end let it meet the other.
fn allows(
    objects: &Objects,
    of: &Pods<'_>,
    kind: &str,
    (rules, peers): (&str, &str),
    other: &Pods<'_>,
    port: u64,
) -> bool {
    let mut policies = objects
        .of("NetworkPolicy")
        .filter(|policy| {
            policy.namespace() == of.namespace() && of.are(policy.at("/spec/podSelector"))
        })
        .filter(|policy| texts(policy.at("/spec/policyTypes")).contains(&kind))
        .peekable();
    policies.peek().is_none()
        || policies.any(|policy| {
            items(policy.at(&format!("/spec/{rules}"))).iter().any(|rule| {
                let ports = items(&rule["ports"]);
                let who = items(&rule[peers]);
                (ports.is_empty()
                    || ports.iter().any(|p| p["port"] == port && p["protocol"] == "TCP"))
                    && (who.is_empty()
                        || who.iter().any(|peer| is(peer, policy.namespace(), other)))
            })
        })
}

/// Whether a peer of a policy means these pods. Addresses mean nobody in the cluster.
fn is(peer: &Value, namespace: &str, pods: &Pods<'_>) -> bool {
    let there = match peer.get("namespaceSelector") {
        Some(selector) => {
            let name = ("kubernetes.io/metadata.name".to_owned(), pods.namespace().into());
            means(selector, &std::iter::once(name).collect())
        }
        None => namespace == pods.namespace(),
    };
    peer.get("ipBlock").is_none()
        && there
        && peer.get("podSelector").is_none_or(|selector| pods.are(selector))
}

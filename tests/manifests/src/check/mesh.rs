//! What the mesh's objects say of each other.

use super::hosts::destinations;
use super::{Rule, foreign};
use crate::object::{Object, Objects, items, texts};

pub(super) const CHECKS: &[Rule] = &[
    ("every subset that a route leads to is declared", subsets),
    ("every gateway that a route is for exists, and opens its hosts", gateways),
    ("every principal that a policy lets in exists", principals),
    ("every service of the mesh asks for mutual TLS", mutual_tls),
    ("every port that speaks gRPC says so", grpc),
    ("requests leave their zone only if somebody says who is healthy", localities),
    ("where there is a gateway out, nobody of the platform leaves by another way", ways_out),
];

fn subsets(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for service in objects.of("VirtualService") {
        for destination in destinations(service) {
            let Some(subset) = destination["subset"].as_str() else { continue };
            let mut rules = objects.of("DestinationRule");
            let declared = rules.any(|rule| {
                *rule.at("/spec/host") == destination["host"]
                    && items(rule.at("/spec/subsets")).iter().any(|s| s["name"] == subset)
            });
            if !declared {
                found.push(format!("{service}: {} has no subset {subset}", destination["host"]));
            }
        }
    }
    found
}

fn gateways(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for service in objects.of("VirtualService") {
        for name in texts(service.at("/spec/gateways")) {
            let Some((namespace, gateway)) = name.split_once('/') else { continue };
            let Some(gateway) = objects.find("Gateway", namespace, gateway) else {
                found.push(format!("{service}: there is no gateway {name}"));
                continue;
            };
            let servers = items(gateway.at("/spec/servers"));
            let open: Vec<&str> = servers.iter().flat_map(|s| texts(&s["hosts"])).collect();
            for host in texts(service.at("/spec/hosts")) {
                if !open.contains(&host) {
                    found.push(format!("{service}: {gateway} does not open {host}"));
                }
            }
        }
    }
    found
}

fn principals(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for policy in objects.of("AuthorizationPolicy") {
        for rule in items(policy.at("/spec/rules")) {
            let sources = items(&rule["from"]);
            for principal in sources.iter().flat_map(|from| texts(&from["source"]["principals"])) {
                let parts: Vec<&str> = principal.split('/').collect();
                let known = match parts.as_slice() {
                    ["stoa.local", "ns", namespace, "sa", account] => {
                        foreign(objects, namespace)
                            || objects.find("ServiceAccount", namespace, account).is_some()
                    }
                    _ => false,
                };
                if !known {
                    found.push(format!("{policy}: nobody is {principal}"));
                }
            }
        }
    }
    found
}

fn mutual_tls(objects: &Objects) -> Vec<String> {
    let strict = objects.of("PeerAuthentication").any(|policy| {
        policy.at("/spec/selector").is_null() && *policy.at("/spec/mtls/mode") == "STRICT"
    });
    let lax =
        objects.of("PeerAuthentication").filter(|policy| *policy.at("/spec/mtls/mode") != "STRICT");
    let mut found: Vec<String> = lax.map(|policy| format!("{policy} lets plain text in")).collect();
    if !strict {
        found.push("no PeerAuthentication asks for mutual TLS in the namespace".to_owned());
    }
    let plain = |rule: &&Object| *rule.at("/spec/trafficPolicy/tls/mode") != "ISTIO_MUTUAL";
    found.extend(
        objects.of("DestinationRule").filter(plain).map(|rule| format!("{rule} sends plain text")),
    );
    found
}

/// What such a port is called in a pod.
const GRPC: [&str; 2] = ["grpc", "otlp"];

fn grpc(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for service in objects.of("Service") {
        for port in items(service.at("/spec/ports")) {
            let speaks = GRPC.iter().any(|name| port["targetPort"] == *name);
            if speaks != (port["appProtocol"] == "grpc") {
                found.push(format!("{service}: {} says {}", port["name"], port["appProtocol"]));
            }
        }
    }
    found
}

/// Istio fails over only where outlier detection is told of.
fn localities(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for rule in objects.of("DestinationRule") {
        let policy = rule.at("/spec/trafficPolicy");
        let near = &policy["loadBalancer"]["localityLbSetting"];
        if near["enabled"] == true && policy["outlierDetection"].is_null() {
            found.push(format!("{rule}: nobody says who is healthy"));
        }
    }
    found
}

fn ways_out(objects: &Objects) -> Vec<String> {
    let gateway = objects.pods().any(|pods| pods.owner.name() == "istio-egress");
    let outside = |policy: &&Object| policy.at("/spec/egress").to_string().contains("0.0.0.0/0");
    let ours = objects.of("NetworkPolicy").filter(|policy| policy.namespace() == "stoa");
    ours.filter(|_| gateway)
        .filter(outside)
        .map(|policy| format!("{policy} lets everywhere"))
        .collect()
}

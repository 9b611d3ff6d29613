//! Whether every host that is named exists, and whoever names it may reach it.

use serde_json::Value;

use super::told::{self, Url};
use super::ways::serves;
use super::{Rule, foreign};
use crate::object::{Object, Objects, items, texts};

pub(super) const CHECKS: &[Rule] = &[
    ("every host that the mesh names exists, with its port", mesh_hosts),
    ("every host that a setting names exists, with its port", setting_hosts),
    ("every host that a pod is told of is known to its sidecar", sidecars),
];

const CLUSTER: &str = ".svc.cluster.local";

/// Whether somebody answers to the name; at the port, where one is named.
fn exists(objects: &Objects, host: &str, port: Option<u64>) -> bool {
    let Some(inside) = host.strip_suffix(CLUSTER) else {
        return objects.of("ServiceEntry").any(|entry| {
            let answers = |field: &str| texts(entry.at(field)).contains(&host);
            // An address is known where an entry lists it: Memorystore's certificate names no name.
            (answers("/spec/hosts") || answers("/spec/addresses"))
                && port.is_none_or(|port| {
                    items(entry.at("/spec/ports")).iter().any(|p| p["number"] == port)
                })
        });
    };
    let Some((name, namespace)) = inside.split_once('.') else { return false };
    if foreign(objects, namespace) {
        return true;
    }
    let service = objects.find("Service", namespace, name);
    let has = |service: &Object| {
        items(service.at("/spec/ports")).iter().any(|p| port.is_none_or(|port| p["port"] == port))
    };
    // Services that an operator makes have its own ports.
    service.map_or_else(|| operated(objects, namespace, name), has)
}

/// A sidecar knows plain TCP by its port alone, whatever the address.
fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

fn operated(objects: &Objects, namespace: &str, name: &str) -> bool {
    objects.pods().any(|pods| pods.namespace() == namespace && serves(pods.owner, name))
}

/// Of gateways' hosts the outside world knows: nobody in the cluster has to.
fn public(objects: &Objects, host: &str) -> bool {
    objects.of("Gateway").any(|gateway| {
        items(gateway.at("/spec/servers")).iter().any(|s| texts(&s["hosts"]).contains(&host))
    })
}

fn mesh_hosts(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    let mut ask = |object: &Object, host: &str, port: Option<u64>| {
        if !exists(objects, host, port) {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            found.push(format!("{object}: {host}{port} does not exist"));
        }
    };
    for rule in objects.of("DestinationRule") {
        ask(rule, rule.at("/spec/host").as_str().unwrap_or_default(), None);
    }
    for service in objects.of("VirtualService") {
        for host in texts(service.at("/spec/hosts")) {
            if !public(objects, host) {
                ask(service, host, None);
            }
        }
        for destination in destinations(service) {
            let port = destination["port"]["number"].as_u64();
            ask(service, destination["host"].as_str().unwrap_or_default(), port);
        }
    }
    for sidecar in objects.of("Sidecar") {
        for egress in items(sidecar.at("/spec/egress")) {
            for host in texts(&egress["hosts"]) {
                ask(sidecar, host.split_once('/').map_or(host, |(_, host)| host), None);
            }
        }
    }
    found
}

/// Where a VirtualService leads.
pub(super) fn destinations(service: &Object) -> Vec<&Value> {
    let routes = ["http", "tls", "tcp"].into_iter();
    let routes = routes.flat_map(|kind| items(service.at(&format!("/spec/{kind}"))));
    routes.flat_map(|route| items(&route["route"])).map(|to| &to["destination"]).collect()
}

fn setting_hosts(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        for (host, port) in told::hosts(objects, workload) {
            if !exists(objects, &host, port) {
                found.push(format!("{workload}: {host} does not exist, or not at {port:?}"));
            }
        }
    }
    // Whom Argo asks whether a release is good.
    for template in objects.of("AnalysisTemplate") {
        for metric in items(template.at("/spec/metrics")) {
            let url = metric["provider"]["prometheus"]["address"].as_str().and_then(Url::parse);
            if let Some(url) = url.filter(|url| !exists(objects, &url.host, url.port)) {
                found.push(format!("{template}: {} does not exist", url.host));
            }
        }
    }
    found
}

fn sidecars(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for sidecar in objects.of("Sidecar") {
        let labels = sidecar.at("/spec/workloadSelector/labels");
        let egress = items(sidecar.at("/spec/egress"));
        let known: Vec<&str> = egress.iter().flat_map(|egress| texts(&egress["hosts"])).collect();
        for workload in objects.selected(sidecar.namespace(), labels) {
            for (host, _) in told::hosts(objects, workload) {
                let knows = |known: &&str| known.split_once('/').is_some_and(|(_, k)| k == host);
                if !is_address(&host) && !known.iter().any(knows) {
                    found.push(format!("{workload}: its sidecar does not know {host}"));
                }
            }
        }
    }
    found
}

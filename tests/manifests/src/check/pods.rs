//! What every pod keeps to: Kubernetes' "restricted" standard, and what running it takes.

use serde_json::Value;

use super::Rule;
use crate::object::{Object, Objects, items};

pub(super) const CHECKS: &[Rule] = &[
    ("every image is pinned", images),
    ("every probe's port exists", probes),
    ("every container that lasts says whether it is ready and alive", watched),
    ("every container asks for what it needs and has an end to its memory", resources),
    ("a pod has longer to end than it drains", endings),
];

/// What Istio puts its own image in the place of.
const INJECTED: &str = "auto";

fn each(objects: &Objects, mut ask: impl FnMut(&Object, &Value) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        for container in workload.containers() {
            if let Some(why) = ask(workload, container) {
                found.push(format!("{workload}, {}: {why}", container["name"]));
            }
        }
    }
    found
}

fn images(objects: &Objects) -> Vec<String> {
    each(objects, |workload, container| {
        let image = container["image"].as_str().unwrap_or_default();
        let template = workload.template().unwrap_or(&Value::Null);
        let gateway = template["metadata"]["annotations"]["inject.istio.io/templates"] == "gateway";
        if image == INJECTED && gateway {
            return None;
        }
        let last = image.rsplit('/').next().unwrap_or_default();
        let pinned =
            image.contains("@sha256:") || last.split_once(':').is_some_and(|(_, t)| exact(t));
        let registry = image.split_once('/').is_some_and(|(host, _)| host.contains('.'));
        (!pinned || !registry).then(|| format!("{image} is not pinned, or names no registry"))
    })
}

/// Whether a tag names one release for ever: a whole version, or a commit.
fn exact(tag: &str) -> bool {
    let commit = tag.len() == 40 && tag.chars().all(|c| c.is_ascii_hexdigit());
    commit
        || tag
            .split(['.', '-'])
            .filter(|part| part.trim_start_matches('v').parse::<u32>().is_ok())
            .count()
            >= 2
}

const PROBES: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

fn probes(objects: &Objects) -> Vec<String> {
    each(objects, |_, container| {
        let ports = items(&container["ports"]);
        PROBES
            .iter()
            .flat_map(|probe| {
                ["httpGet", "tcpSocket", "grpc"].map(|how| &container[*probe][how]["port"])
            })
            .filter(|port| !port.is_null())
            .find(|port| !ports.iter().any(|p| p["name"] == **port || p["containerPort"] == **port))
            .map(|port| format!("it is asked at {port}, which it does not open"))
    })
}

fn watched(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads().filter(|workload| workload.lasts()) {
        let template = workload.template().unwrap_or(&Value::Null);
        // Istio brings its gateways' probes with their image.
        if template["metadata"]["annotations"]["inject.istio.io/templates"] == "gateway" {
            continue;
        }
        for container in items(&template["spec"]["containers"]) {
            for probe in &PROBES[..2] {
                if container[*probe].is_null() {
                    found.push(format!("{workload}, {}: no {probe}", container["name"]));
                }
            }
        }
    }
    found
}

fn resources(objects: &Objects) -> Vec<String> {
    each(objects, |_, container| {
        let resources = &container["resources"];
        let asked = ["cpu", "memory"].iter().all(|what| resources["requests"][*what].is_string());
        (!asked || !resources["limits"]["memory"].is_string())
            .then(|| "no requests, or no limit of memory".to_owned())
    })
}

/// Notice and drain of a service (`shared/runtime`, `shared/grpc`), in seconds, and as
/// much again for its sidecar and the kubelet.
const DRAIN: u64 = 13 * 2;

fn endings(objects: &Objects) -> Vec<String> {
    objects
        .of("Deployment")
        .filter(|workload| {
            let spec = workload.at("/spec/template/spec");
            let grace = spec["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
            let all = items(&spec["containers"]);
            let pauses =
                all.iter().filter_map(|c| c["lifecycle"]["preStop"]["sleep"]["seconds"].as_u64());
            let drains = gateway_drains(workload).unwrap_or(0);
            grace < DRAIN.max(drains) + pauses.max().unwrap_or(0)
                || drains == 0 && is_gateway(workload)
        })
        .map(|workload| format!("{workload} is killed before it has drained"))
        .collect()
}

fn is_gateway(workload: &Object) -> bool {
    let annotations = workload.at("/spec/template/metadata/annotations");
    annotations["inject.istio.io/templates"] == "gateway"
}

/// How many seconds a gateway of Istio's answers what was begun; five, where it is not said.
fn gateway_drains(workload: &Object) -> Option<u64> {
    let annotations = workload.at("/spec/template/metadata/annotations");
    let text = annotations["proxy.istio.io/config"].as_str()?;
    let (_, value) = text.split_once("terminationDrainDuration:")?;
    value.trim().strip_suffix('s')?.parse().ok()
}

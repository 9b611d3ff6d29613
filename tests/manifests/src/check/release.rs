//! Whether a release goes as planned: the schema first, then a few pods, then all.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Rule;
use crate::object::{Object, Objects, items, texts};

pub(super) const CHECKS: &[Rule] = &[
    ("whoever waits for a schema has a job that makes it, of the same release", migrations),
    ("a canary is given its share of every route", canaries),
    ("every analysis of a release exists", analyses),
];

const MODE: &str = "DATABASE_MIGRATIONS";

/// A container's settings, without the one that differs.
fn settings(container: &Value) -> BTreeSet<String> {
    items(&container["env"])
        .into_iter()
        .filter(|e| e["name"] != MODE)
        .map(Value::to_string)
        .collect()
}

fn mode(container: &Value) -> Option<&str> {
    items(&container["env"]).into_iter().find(|e| e["name"] == MODE)?["value"].as_str()
}

fn migrations(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.of("Deployment") {
        for container in workload.containers() {
            if mode(container) != Some("expect") {
                continue;
            }
            let image = &container["image"];
            let release =
                image.as_str().and_then(|image| image.rsplit_once(':')).map_or("", |i| i.1);
            let job = objects.of("Job").find(|job| {
                job.containers().iter().any(|c| c["image"] == *image && mode(c) == Some("only"))
            });
            let Some(job) = job else {
                found.push(format!("{workload}: no job makes the schema of {image}"));
                continue;
            };
            if !job.name().ends_with(&format!("-{release}")) {
                found.push(format!("{job} is not called after the release {release}"));
            }
            let same = job.containers().iter().all(|c| settings(c) == settings(container));
            if !same {
                found.push(format!("{job} has other settings than {workload}"));
            }
            let labels = |object: &Object| {
                object
                    .template()
                    .map(|t| t["metadata"]["labels"]["app.kubernetes.io/component"].clone())
            };
            if labels(job) == labels(workload) {
                found
                    .push(format!("{job} has the labels of {workload}: requests would come to it"));
            }
        }
    }
    found
}

fn canaries(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for rollout in objects.of("Rollout") {
        let istio = rollout.at("/spec/strategy/canary/trafficRouting/istio");
        for wanted in items(&istio["virtualServices"]) {
            let name = wanted["name"].as_str().unwrap_or_default();
            let Some(service) = objects.find("VirtualService", rollout.namespace(), name) else {
                found.push(format!("{rollout}: there is no VirtualService {name}"));
                continue;
            };
            let listed: BTreeSet<&str> = texts(&wanted["routes"]).into_iter().collect();
            let http = items(service.at("/spec/http"));
            let there: BTreeSet<&str> = http.iter().filter_map(|r| r["name"].as_str()).collect();
            for route in listed.symmetric_difference(&there) {
                found.push(format!("{rollout}: the route {route} is not in both"));
            }
            for route in &http {
                let subsets: BTreeSet<&str> = items(&route["route"])
                    .iter()
                    .filter_map(|to| to["destination"]["subset"].as_str())
                    .collect();
                let both = ["stableSubsetName", "canarySubsetName"]
                    .iter()
                    .filter_map(|name| istio["destinationRule"][*name].as_str())
                    .collect();
                if subsets != both {
                    found.push(format!("{service}: {} does not lead to both", route["name"]));
                }
            }
        }
    }
    found
}

fn analyses(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for rollout in objects.of("Rollout") {
        let steps = items(rollout.at("/spec/strategy/canary/steps"));
        if !steps.iter().any(|step| step.get("analysis").is_some()) {
            found.push(format!("{rollout}: nobody looks at the new release"));
        }
        for wanted in steps.iter().flat_map(|step| items(&step["analysis"]["templates"])) {
            let name = wanted["templateName"].as_str().unwrap_or_default();
            if objects.find("AnalysisTemplate", rollout.namespace(), name).is_none() {
                found.push(format!("{rollout}: there is no AnalysisTemplate {name}"));
            }
        }
    }
    found
}

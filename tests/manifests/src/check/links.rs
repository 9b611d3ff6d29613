//! Whether what names another object finds it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Rule, foreign};
use crate::object::{Object, Objects, has_all, items, means, texts};

pub(super) const CHECKS: &[Rule] = &[
    ("an object is there once", once),
    ("every namespace that is used exists", namespaces),
    ("every Service has a workload, whose pods open its ports", services),
    ("every policy selects something", policies),
    ("every namespace with pods denies what no policy allows", default_deny),
    ("every autoscaler has what it scales, and every Deployment an autoscaler", autoscalers),
    ("every Deployment has a disruption budget and is spread", budgets),
    ("every pod has the service account that is called like its workload", accounts),
];

fn once(objects: &Objects) -> Vec<String> {
    let mut seen = BTreeSet::new();
    objects
        .0
        .iter()
        .filter(|object| {
            let group = object.at("/apiVersion").as_str().unwrap_or_default();
            let group = group.split_once('/').map_or("", |(group, _)| group);
            !seen.insert(format!("{group} {object}"))
        })
        .map(|object| format!("{object} is there twice"))
        .collect()
}

fn namespaces(objects: &Objects) -> Vec<String> {
    let ours: BTreeSet<&str> = objects.of("Namespace").map(Object::name).collect();
    objects
        .0
        .iter()
        .filter(|object| !object.namespace().is_empty())
        .filter(|object| {
            !ours.contains(object.namespace()) && !foreign(objects, object.namespace())
        })
        .map(|object| format!("{object}: nobody makes the namespace"))
        .collect()
}

fn services(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for service in objects.of("Service") {
        let selector = service.at("/spec/selector");
        let workloads = objects.selected(service.namespace(), selector);
        if workloads.is_empty() {
            found.push(format!("{service}: no workload has the labels {selector}"));
        }
        for port in items(service.at("/spec/ports")) {
            for workload in &workloads {
                let target =
                    if port["targetPort"].is_null() { &port["port"] } else { &port["targetPort"] };
                if !opens(workload, target) {
                    found.push(format!("{service}: {workload} does not open {target}"));
                }
            }
            if port["appProtocol"].is_null() {
                found.push(format!("{service}: {} does not say its protocol", port["name"]));
            }
        }
    }
    found
}

/// Whether a container has the port, by its name or number.
fn opens(workload: &Object, port: &Value) -> bool {
    let all = workload.containers();
    let mut ports = all.iter().flat_map(|container| items(&container["ports"]));
    ports.any(|open| open["name"] == *port || open["containerPort"] == *port)
}

fn policies(objects: &Objects) -> Vec<String> {
    let selectors = [
        ("NetworkPolicy", "/spec/podSelector"),
        ("PodDisruptionBudget", "/spec/selector"),
        ("AuthorizationPolicy", "/spec/selector"),
        ("RequestAuthentication", "/spec/selector"),
        ("PeerAuthentication", "/spec/selector"),
        ("Sidecar", "/spec/workloadSelector"),
        ("PodMonitor", "/spec/selector"),
        ("ServiceMonitor", "/spec/selector"),
    ];
    let mut found = Vec::new();
    for (kind, pointer) in selectors {
        for policy in objects.of(kind) {
            let mut selector = policy.at(pointer).clone();
            if let Some(labels) = selector.get("labels").cloned() {
                selector = json!({"matchLabels": labels});
            }
            // For the whole namespace.
            if selector.as_object().is_none_or(serde_json::Map::is_empty) {
                continue;
            }
            let elsewhere = texts(policy.at("/spec/namespaceSelector/matchNames"));
            let own = [policy.namespace()];
            let places = if elsewhere.is_empty() { own.as_slice() } else { &elsewhere };
            let mut pods = objects.pods().filter(|pods| places.contains(&pods.namespace()));
            let service = || {
                let mut services = objects.of("Service");
                services.any(|service| {
                    let labels = service.at("/metadata/labels").as_object();
                    places.contains(&service.namespace())
                        && labels.is_some_and(|labels| means(&selector, labels))
                })
            };
            let selected =
                pods.any(|pods| pods.are(&selector)) || (kind == "ServiceMonitor" && service());
            if !selected {
                found.push(format!("{policy} selects nothing: {selector}"));
            }
        }
    }
    for gateway in objects.of("Gateway") {
        let selector = gateway.at("/spec/selector");
        let mut everywhere = objects.workloads().filter_map(Object::template);
        if !everywhere.any(|pod| has_all(&pod["metadata"]["labels"], selector)) {
            found.push(format!("{gateway} selects nothing: {selector}"));
        }
    }
    found
}

fn default_deny(objects: &Objects) -> Vec<String> {
    let used: BTreeSet<&str> = objects.pods().map(|pods| pods.namespace()).collect();
    let denies = |namespace: &&str| {
        objects.of("NetworkPolicy").filter(|policy| policy.namespace() == *namespace).any(
            |policy| {
                let types = policy.at("/spec/policyTypes").to_string();
                policy.at("/spec/podSelector").as_object().is_some_and(serde_json::Map::is_empty)
                    && types.contains("Ingress")
                    && types.contains("Egress")
                    && policy.at("/spec/ingress").is_null()
                    && policy.at("/spec/egress").is_null()
            },
        )
    };
    used.iter()
        .filter(|namespace| !denies(namespace))
        .map(|namespace| format!("namespace {namespace}: no policy denies by default"))
        .collect()
}

fn autoscalers(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    let mut scaled = BTreeSet::new();
    for scaler in objects.of("HorizontalPodAutoscaler") {
        let (kind, name) =
            (scaler.at("/spec/scaleTargetRef/kind"), scaler.at("/spec/scaleTargetRef/name"));
        let (kind, name) = (kind.as_str().unwrap_or_default(), name.as_str().unwrap_or_default());
        let Some(target) = objects.find(kind, scaler.namespace(), name) else {
            found.push(format!("{scaler}: there is no {kind} {name}"));
            continue;
        };
        let deployment = match kind {
            "Rollout" => target.at("/spec/workloadRef/name").as_str().unwrap_or_default(),
            _ => name,
        };
        scaled.insert((scaler.namespace(), deployment));
        let Some(workload) = objects.find("Deployment", scaler.namespace(), deployment) else {
            found.push(format!("{target}: there is no Deployment {deployment}"));
            continue;
        };
        for metric in items(scaler.at("/spec/metrics")) {
            let container = &metric["containerResource"]["container"];
            let all = workload.containers();
            if !container.is_null() && !all.iter().any(|c| c["name"] == *container) {
                found.push(format!("{scaler}: {workload} has no container {container}"));
            }
        }
    }
    let lonely = objects.of("Deployment").filter(|d| !scaled.contains(&(d.namespace(), d.name())));
    let lonely = lonely.filter(|d| d.at("/spec/replicas").is_null());
    found.extend(lonely.map(|deployment| format!("{deployment}: nothing scales it")));
    found
}

fn budgets(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for deployment in objects.of("Deployment") {
        // One that is meant to be alone.
        if deployment.at("/spec/replicas") == 1 {
            continue;
        }
        let labels = deployment.at("/spec/template/metadata/labels");
        let mut budgets = objects.of("PodDisruptionBudget");
        if !budgets.any(|b| {
            b.namespace() == deployment.namespace()
                && has_all(labels, b.at("/spec/selector/matchLabels"))
        }) {
            found.push(format!("{deployment} has no disruption budget"));
        }
        let spread = items(deployment.at("/spec/template/spec/topologySpreadConstraints"));
        let keys = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"];
        for key in keys {
            let constraint = spread.iter().find(|constraint| constraint["topologyKey"] == key);
            if !constraint.is_some_and(|c| has_all(labels, &c["labelSelector"]["matchLabels"])) {
                found.push(format!("{deployment} is not spread over {key}"));
            }
        }
    }
    found
}

fn accounts(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        let template = workload.template().unwrap_or(&Value::Null);
        let account = template["spec"]["serviceAccountName"].as_str().unwrap_or_default();
        if objects.find("ServiceAccount", workload.namespace(), account).is_none() {
            found.push(format!("{workload}: there is no service account {account:?}"));
        }
        // In the mesh an account is an identity, and policies know it by the label.
        let name = &template["metadata"]["labels"]["app.kubernetes.io/name"];
        if !name.is_null() && *name != *account {
            found.push(format!("{workload} is {name} by its label and {account} by its account"));
        }
        // Whoever has rights in the cluster needs one to use them.
        if template["spec"]["automountServiceAccountToken"] != false
            && !has_rights(objects, workload.namespace(), account)
        {
            found.push(format!("{workload} mounts a token that it does not need"));
        }
    }
    found
}

fn has_rights(objects: &Objects, namespace: &str, account: &str) -> bool {
    let bindings = ["RoleBinding", "ClusterRoleBinding"];
    bindings.iter().flat_map(|kind| objects.of(kind)).any(|binding| {
        let subjects = items(binding.at("/subjects"));
        subjects.iter().any(|s| s["name"] == account && s["namespace"] == namespace)
    })
}

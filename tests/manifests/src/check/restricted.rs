//! Kubernetes' "restricted" standard, with one exception.

use serde_json::Value;

use super::Rule;
use crate::object::{Object, Objects, items, texts};

pub(super) const CHECKS: &[Rule] = &[
    ("every pod is restricted", restricted),
    ("who reads the node's files reads what it must, and nothing else", of_the_node),
];

/// Who may not be held to it, and where: lines of logs are in files of the node, which are
/// root's. It is alone in its namespace, has no capability, and reads one directory; in the other
/// it notes how far it came.
struct Exception {
    namespace: &'static str,
    name: &'static str,
    reads: &'static str,
    notes: &'static str,
}

const LOGS: Exception = Exception {
    namespace: "stoa-logs",
    name: "otel-logs",
    reads: "/var/log/pods",
    notes: "/var/lib/stoa-otel-logs",
};

impl Exception {
    fn is(&self, workload: &Object) -> bool {
        workload.kind() == "DaemonSet"
            && workload.namespace() == self.namespace
            && workload.name() == self.name
    }
}

fn restricted(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        let spec = &workload.template().unwrap_or(&Value::Null)["spec"];
        let pod = &spec["securityContext"];
        let mut ask = |kept: bool, what: &str| {
            if !kept {
                found.push(format!("{workload}: {what}"));
            }
        };
        if !LOGS.is(workload) {
            ask(pod["runAsNonRoot"] == true, "may run as root");
            let own = items(&spec["volumes"]).iter().all(|v| v["hostPath"].is_null());
            ask(own, "mounts its node's files");
        }
        ask(pod["seccompProfile"]["type"] == "RuntimeDefault", "has no seccomp profile");
        for shared in ["hostNetwork", "hostPID", "hostIPC"] {
            ask(spec[shared].is_null(), "shares its node's namespaces");
        }
        for container in workload.containers() {
            let context = &container["securityContext"];
            ask(context["allowPrivilegeEscalation"] == false, "may gain privileges");
            ask(context["readOnlyRootFilesystem"] == true, "may write to its image");
            ask(texts(&context["capabilities"]["drop"]) == ["ALL"], "keeps capabilities");
            ask(context["capabilities"]["add"].is_null(), "has capabilities added");
            ask(context["privileged"].is_null(), "is privileged");
        }
    }
    // Operators keep to it themselves as far as they are asked to.
    for operated in ["Prometheus", "Alertmanager"].iter().flat_map(|kind| objects.of(kind)) {
        let context = operated.at("/spec/securityContext");
        if context["runAsNonRoot"] != true || context["seccompProfile"]["type"] != "RuntimeDefault"
        {
            found.push(format!("{operated}: its pods are not restricted"));
        }
    }
    for namespace in objects.of("Namespace").filter(|n| n.name() != LOGS.namespace) {
        let enforced = namespace.at("/metadata/labels/pod-security.kubernetes.io~1enforce");
        if *enforced != "restricted" {
            found.push(format!("{namespace} does not enforce `restricted`"));
        }
    }
    found
}

fn of_the_node(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for pods in objects.pods().filter(|pods| pods.namespace() == LOGS.namespace) {
        if !LOGS.is(pods.owner) {
            found.push(format!("{}: is where everything is allowed", pods.owner));
            continue;
        }
        let spec = pods.owner.at("/spec/template/spec");
        for volume in items(&spec["volumes"]) {
            let Some(path) = volume["hostPath"]["path"].as_str() else { continue };
            let mounts = pods.owner.containers();
            let mut mounts = mounts.iter().flat_map(|c| items(&c["volumeMounts"]));
            let written =
                mounts.any(|m| m["name"] == volume["name"] && m["readOnly"] != Value::Bool(true));
            if path != LOGS.notes && (path != LOGS.reads || written) {
                found.push(format!("{}: {path} is not its to use", pods.owner));
            }
        }
    }
    found
}

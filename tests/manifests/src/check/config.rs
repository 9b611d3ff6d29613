//! Whether what a pod mounts and reads is there.

use serde_json::Value;

use super::Rule;
use super::secrets::{by_hand, keys};
use crate::object::{Object, Objects, items};

pub(super) const CHECKS: &[Rule] = &[
    ("every Secret and ConfigMap that is mounted or read exists, with its keys", volumes),
    ("every mount has its volume", mounts),
    ("every secret that is read from a file is in the Secret that is mounted there", files),
];

fn spec(workload: &Object) -> &Value {
    workload.template().map_or(&Value::Null, |template| &template["spec"])
}

/// A ConfigMap's keys; nothing if nobody makes it.
fn map_keys(objects: &Objects, namespace: &str, name: &str) -> Option<Vec<String>> {
    match objects.find("ConfigMap", namespace, name) {
        Some(map) => Some(map.at("/data").as_object()?.keys().cloned().collect()),
        None => by_hand(objects, "ConfigMap", namespace, name),
    }
}

fn volumes(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        for volume in items(&spec(workload)["volumes"]) {
            let namespace = workload.namespace();
            let wanted = volume["secret"]["secretName"].as_str();
            if let Some(name) = wanted.filter(|_| volume["secret"]["optional"] != true)
                && keys(objects, namespace, name).is_none()
            {
                found.push(format!("{workload}: nobody makes the Secret {name}"));
            }
            let wanted = volume["configMap"]["name"].as_str();
            if let Some(name) = wanted.filter(|_| volume["configMap"]["optional"] != true)
                && map_keys(objects, namespace, name).is_none()
            {
                found.push(format!("{workload}: nobody makes the ConfigMap {name}"));
            }
        }
    }
    for object in &objects.0 {
        for reference in references(object) {
            let (name, key) = (&reference["name"], &reference["key"]);
            let made = name.as_str().and_then(|name| keys(objects, object.namespace(), name));
            if !made.is_some_and(|keys| keys.iter().any(|made| *made == *key)) {
                found.push(format!("{object}: nobody makes {key} of the Secret {name}"));
            }
        }
    }
    found
}

/// Single keys of Secrets that an object names.
fn references(object: &Object) -> Vec<&Value> {
    let all = object.containers();
    let settings = all.iter().flat_map(|container| items(&container["env"]));
    let mut found: Vec<&Value> = settings.map(|s| &s["valueFrom"]["secretKeyRef"]).collect();
    for receiver in items(object.at("/spec/receivers")) {
        found.extend(items(&receiver["webhookConfigs"]).iter().map(|hook| &hook["urlSecret"]));
    }
    if object.kind() == "ServiceMonitor" {
        let endpoints = items(object.at("/spec/endpoints"));
        found.extend(endpoints.iter().map(|endpoint| &endpoint["tlsConfig"]["ca"]["secret"]));
    }
    let credentials = object.at("/spec/backup/barmanObjectStore/s3Credentials").as_object();
    found.extend(credentials.into_iter().flat_map(|credentials| credentials.values()));
    found.into_iter().filter(|r| r.is_object() && r["optional"] != Value::Bool(true)).collect()
}

fn mounts(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        let mut volumes = items(&spec(workload)["volumes"]);
        volumes.extend(
            items(workload.at("/spec/volumeClaimTemplates")).into_iter().map(|c| &c["metadata"]),
        );
        for container in workload.containers() {
            for mount in items(&container["volumeMounts"]) {
                if !volumes.iter().any(|volume| volume["name"] == mount["name"]) {
                    found.push(format!("{workload}: there is no volume {}", mount["name"]));
                }
            }
        }
    }
    found
}

fn files(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        for container in workload.containers() {
            for setting in items(&container["env"]) {
                let name = setting["name"].as_str().unwrap_or_default();
                let path = setting["value"].as_str().unwrap_or_default();
                if name.ends_with("_FILE")
                    && secret_of(workload, container, path).is_none_or(|(secret, key)| {
                        !has(keys(objects, workload.namespace(), secret), key)
                    })
                {
                    found.push(format!("{workload}: {name} is in no Secret that is mounted"));
                }
            }
        }
    }
    found
}

fn has(keys: Option<Vec<String>>, key: &str) -> bool {
    keys.is_some_and(|keys| keys.iter().any(|made| made == key))
}

/// The volume that is mounted where a file is, and the file's name in it.
fn volume_of<'a>(
    workload: &'a Object,
    container: &Value,
    path: &'a str,
) -> Option<(&'a Value, &'a str)> {
    let (dir, key) = path.rsplit_once('/')?;
    let mounts = items(&container["volumeMounts"]);
    let mount = mounts.into_iter().find(|mount| mount["mountPath"] == dir)?;
    let volumes = items(&spec(workload)["volumes"]);
    Some((volumes.into_iter().find(|volume| volume["name"] == mount["name"])?, key))
}

/// The Secret that a file is of, and its key.
pub(super) fn secret_of<'a>(
    workload: &'a Object,
    container: &Value,
    path: &'a str,
) -> Option<(&'a str, &'a str)> {
    let (volume, key) = volume_of(workload, container, path)?;
    Some((volume["secret"]["secretName"].as_str()?, key))
}

/// Whether a file will be there.
pub(super) fn is_mounted(
    objects: &Objects,
    workload: &Object,
    container: &Value,
    path: &str,
) -> bool {
    let Some((volume, key)) = volume_of(workload, container, path) else { return false };
    let namespace = workload.namespace();
    let secret = volume["secret"]["secretName"].as_str();
    let map = volume["configMap"]["name"].as_str();
    has(secret.and_then(|name| keys(objects, namespace, name)), key)
        || has(map.and_then(|name| map_keys(objects, namespace, name)), key)
}

//! Whether what a pod mounts and reads is there.

use serde_json::Value;

use super::Rule;
use crate::object::{Object, Objects, items};

pub(super) const CHECKS: &[Rule] = &[
    ("every Secret and ConfigMap that is mounted exists", volumes),
    ("every mount has its volume", mounts),
    ("every secret that is read from a file is in the Secret that is mounted there", files),
];

/// The keys of a Secret, if somebody makes it; none known where people do.
fn secret<'a>(objects: &'a Objects, namespace: &str, name: &str) -> Option<Vec<&'a str>> {
    let in_it = |object: &&Object| object.namespace() == namespace;
    if let Some(external) =
        objects.of("ExternalSecret").filter(in_it).find(|e| *e.at("/spec/target/name") == name)
    {
        let data = items(external.at("/spec/data"));
        let keys = data.iter().filter_map(|entry| entry["secretKey"].as_str());
        let template = external.at("/spec/target/template/data").as_object();
        let made = template.into_iter().flat_map(|t| t.keys().map(String::as_str));
        return Some(keys.chain(made).collect());
    }
    let keys = |data: &'a Value| data.as_object().map(|d| d.keys().map(String::as_str).collect());
    if let Some(sealed) = objects.find("SealedSecret", namespace, name) {
        return keys(sealed.at("/spec/encryptedData"));
    }
    if let Some(plain) = objects.find("Secret", namespace, name) {
        return keys(plain.at("/stringData"));
    }
    None
}

fn spec(workload: &Object) -> &Value {
    workload.template().map_or(&Value::Null, |template| &template["spec"])
}

fn volumes(objects: &Objects) -> Vec<String> {
    let mut found = Vec::new();
    for workload in objects.workloads() {
        for volume in items(&spec(workload)["volumes"]) {
            let namespace = workload.namespace();
            let wanted = volume["secret"]["secretName"].as_str();
            if let Some(name) = wanted.filter(|_| volume["secret"]["optional"] != true)
                && secret(objects, namespace, name).is_none()
            {
                found.push(format!("{workload}: nobody makes the Secret {name}"));
            }
            let wanted = volume["configMap"]["name"].as_str();
            if let Some(name) = wanted.filter(|_| volume["configMap"]["optional"] != true)
                && objects.find("ConfigMap", namespace, name).is_none()
            {
                found.push(format!("{workload}: nobody makes the ConfigMap {name}"));
            }
        }
    }
    found
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
                if name.ends_with("_FILE")
                    && !in_a_secret(objects, workload, container, &setting["value"])
                {
                    found.push(format!("{workload}: {name} is in no Secret that is mounted"));
                }
            }
        }
    }
    found
}

fn in_a_secret(objects: &Objects, workload: &Object, container: &Value, path: &Value) -> bool {
    let Some((dir, key)) = path.as_str().and_then(|path| path.rsplit_once('/')) else {
        return false;
    };
    let mounts = items(&container["volumeMounts"]);
    let Some(mount) = mounts.iter().find(|mount| mount["mountPath"] == dir) else { return false };
    let volumes = items(&spec(workload)["volumes"]);
    let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]);
    let Some(name) = volume.and_then(|v| v["secret"]["secretName"].as_str()) else { return false };
    secret(objects, workload.namespace(), name).is_some_and(|keys| keys.contains(&key))
}

//! Checks every Kubernetes object against its published schema, unknown fields included.
//!
//! The schemas of Istio's resources, and of those who bring secrets, are published as
//! compiled JavaScript (npm `@kubernetes-models/…`), so it is a script that runs them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ::manifests::{OVERLAYS, Objects};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize as _;
use serde_json::{Value, json};
use stack::{Layout, Terminal};

/// Of Istio 1.29.
const ISTIO: &str = "@kubernetes-models/istio@3.0.1";
const KUBERNETES: &str = "kubernetes-models@5.1.0";
const EXTERNAL_SECRETS: &str = "@kubernetes-models/external-secrets@2.0.0";
const SEALED_SECRETS: &str = "@kubernetes-models/sealed-secrets@6.0.0";
const ARGO_ROLLOUTS: &str = "@kubernetes-models/argo-rollouts@2.0.0";
const CERT_MANAGER: &str = "@kubernetes-models/cert-manager@6.0.0";
const PROMETHEUS_OPERATOR: &str = "@kubernetes-models/prometheus-operator@6.0.0";
const CLOUDNATIVE_PG: &str = "@kubernetes-models/cloudnative-pg@2.0.0";

const SCRIPT: &str = "xtask/src/manifests/strict.mjs";
const DIRS: [&str; 3] = ["istio/generated", "k8s/base", "k8s/components"];
/// Whose makers publish no schemas on npm; CI asks its own validator about these.
const WITHOUT_SCHEMA: [&str; 1] = ["RabbitmqCluster"];

/// Fails with every object that its schema refuses, and when the schemas let through
/// what is broken on purpose.
pub fn check(root: &Path) -> Result<()> {
    let layout = Layout::new(&root.join(".stoa/lint"))?;
    let wanted = [
        ISTIO,
        KUBERNETES,
        EXTERNAL_SECRETS,
        SEALED_SECRETS,
        ARGO_ROLLOUTS,
        CERT_MANAGER,
        CLOUDNATIVE_PG,
        PROMETHEUS_OPERATOR,
    ];
    let packages = stack::install_npm(&wanted, &layout, &mut Terminal)?;
    let modules = packages.join("node_modules");
    let mut objects = Vec::new();
    for dir in DIRS {
        for file in yaml_files(&root.join(dir))? {
            objects.extend(read(root, &file)?);
        }
    }
    objects.extend(overlays(root)?);
    let mut node = Command::new("node");
    node.arg(root.join(SCRIPT)).arg(modules).stdin(Stdio::piped());
    println!("$ node {SCRIPT}");
    let mut node = node.spawn().context("cannot run node")?;
    let mut input = node.stdin.take().context("node has no input")?;
    input.write_all(&serde_json::to_vec(&objects)?)?;
    drop(input);
    ensure!(node.wait()?.success(), "a manifest is not what its schema says");
    Ok(())
}

/// Writes the overlays' objects, for tools that read files.
pub fn write(root: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for name in OVERLAYS {
        let mut text = String::new();
        for object in ::manifests::render(&root.join("k8s/overlays").join(name))? {
            text += "---\n";
            text += &serde_yaml_ng::to_string(&object)?;
        }
        fs::write(to.join(format!("{name}.yaml")), text)?;
    }
    Ok(())
}

/// Writes the Helm chart.
pub fn chart(root: &Path) -> Result<()> {
    let to = root.join(".stoa/chart/stoa");
    if to.exists() {
        fs::remove_dir_all(&to)?;
    }
    ::manifests::chart::write(root, &to)?;
    println!("{}", to.display());
    Ok(())
}

/// What the overlays install, which keeps the rules among objects too.
fn overlays(root: &Path) -> Result<Vec<Value>> {
    let (mut all, mut broken) = (Vec::new(), Vec::new());
    for name in OVERLAYS {
        let rendered = ::manifests::render(&root.join("k8s/overlays").join(name))?;
        let objects = Objects::new(rendered);
        let checks = ::manifests::all();
        for check in &checks {
            let found = (check.run)(&objects);
            broken.extend(found.iter().map(|why| format!("{name}: {}: {why}", check.rule)));
        }
        println!("{name}: {} objects keep {} rules", objects.0.len(), checks.len());
        let known = objects.0.into_iter().filter(|o| !WITHOUT_SCHEMA.contains(&o.kind()));
        all.extend(known.map(|object| {
            // Its parts are broken on purpose where they are written down.
            json!({"place": format!("{name}: {object}"), "object": object.0, "whole": true})
        }));
    }
    ensure!(broken.is_empty(), "what is installed breaks rules:\n  {}", broken.join("\n  "));
    Ok(all)
}

/// The objects of a file, each with its place.
fn read(root: &Path, file: &Path) -> Result<Vec<Value>> {
    let shown = file.strip_prefix(root).unwrap_or(file).display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let mut objects = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(&text) {
        let object = Value::deserialize(document).with_context(|| format!("{shown}"))?;
        // Lists of files, never sent to a cluster.
        let kind = object["kind"].as_str().unwrap_or_default();
        if !["Kustomization", "Component"].contains(&kind) && !WITHOUT_SCHEMA.contains(&kind) {
            let name = &object["metadata"]["name"];
            let place = format!("{shown}: {} {}", object["kind"], name).replace('"', "");
            objects.push(json!({"place": place, "object": object}));
        }
    }
    Ok(objects)
}

fn yaml_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(yaml_files(&path)?);
        } else if path.extension().is_some_and(|e| e == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

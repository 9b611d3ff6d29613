//! The overlays keep every rule, and every rule notices what breaks it.

#![allow(clippy::unwrap_used)]

mod broken;
mod canary;
mod chart;
mod compose;
mod gcp;
mod pipelines;
mod rendered;
mod settings;

use std::path::{Path, PathBuf};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn overlay(name: &str) -> Vec<Value> {
    manifests::render(&root().join("k8s/overlays").join(name)).unwrap()
}

fn overlay_with(name: &str, settings: &dyn Fn(&str) -> Value) -> Vec<Value> {
    manifests::render_with(&root().join("k8s/overlays").join(name), settings).unwrap()
}

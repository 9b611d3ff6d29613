//! What is written, read by a real Envoy.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser as _;
use edge_config::{CONFIGURATION, Config, MeshTls};
use serde_json::Value;
use stack::{Layout, Terminal};

const SERVICES: &str = "cart,catalog,identity,inventory,notifications,orders,payments";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn config(directory: &Path) -> Config {
    let root = root();
    let template = root.join("envoy/edge.yaml");
    let descriptor = root.join("envoy/descriptor.binpb");
    Config::parse_from([
        "edge-config",
        "--template",
        template.to_str().unwrap(),
        "--descriptor",
        descriptor.to_str().unwrap(),
        "--directory",
        directory.to_str().unwrap(),
        "--services",
        SERVICES,
        "--cors-origin-regex",
        "https://shop[.]example",
    ])
}

fn rendered() -> Value {
    let template = std::fs::read_to_string(root().join("envoy/edge.yaml")).unwrap();
    let config = config(Path::new("/etc/envoy"));
    edge_config::render(&template, &config, Path::new("/etc/envoy/descriptor.binpb")).unwrap()
}

#[test]
fn envoy_takes_it() {
    let layout = Layout::new(&root().join(".stoa/lint")).unwrap();
    let envoy = stack::envoy(&layout, &mut Terminal).unwrap();
    let directory = tempfile::tempdir().unwrap();
    edge_config::write(&config(directory.path())).unwrap();
    let mut command = Command::new(envoy);
    command.args(["--mode", "validate", "--disable-hot-restart", "-l", "warning", "-c"]);
    let output = command.arg(directory.path().join(CONFIGURATION)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn no_tls_and_no_placeholder_is_left() {
    let text = rendered().to_string();
    for word in ["transport_socket\"", "${", "path_config_source"] {
        assert!(!text.contains(word), "{word}");
    }
}

/// Routes with the cluster that they lead to.
fn routes<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("route").filter(|route| route["cluster"].is_string()));
            fields.values().for_each(|field| routes(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| routes(item, found)),
        _ => {}
    }
}

#[test]
fn every_request_to_a_service_names_its_host() {
    let envoy = rendered();
    let mut found = Vec::new();
    routes(&envoy, &mut found);
    let services: Vec<&str> = SERVICES.split(',').collect();
    let mut counted = 0;
    for route in found {
        let cluster = route["cluster"].as_str().unwrap();
        if services.contains(&cluster) {
            let host = format!("{cluster}.stoa.svc.cluster.local");
            assert_eq!(route["host_rewrite_literal"], host.as_str(), "{route}");
            counted += 1;
        }
    }
    assert!(counted > services.len(), "{counted} routes");
}

#[test]
fn a_service_that_is_not_named_is_missed() {
    let mut config = config(Path::new("/etc/envoy"));
    config.services.retain(|service| service != "orders");
    let template = std::fs::read_to_string(root().join("envoy/edge.yaml")).unwrap();
    let error = edge_config::render(&template, &config, Path::new("/d")).unwrap_err();
    assert!(error.to_string().contains("${ORDERS_HOST}"), "{error}");
}

#[test]
fn without_a_sidecar_it_speaks_tls_itself() {
    let directory = tempfile::tempdir().unwrap();
    let native = Config { mesh_tls: MeshTls::Native, ..config(directory.path()) };
    edge_config::write(&native).unwrap();
    let text = std::fs::read_to_string(directory.path().join(CONFIGURATION)).unwrap();
    let envoy: Value = serde_json::from_str(&text).unwrap();
    let clusters = envoy["static_resources"]["clusters"].as_array().unwrap();
    let secured = clusters.iter().filter(|cluster| cluster["transport_socket"].is_object());
    assert_eq!(secured.count(), SERVICES.split(',').count());
    for name in ["authorities.yaml", "edge.yaml", "mesh.yaml"] {
        let text = std::fs::read_to_string(directory.path().join(name)).unwrap();
        assert!(text.contains("/run/stoa/pki/") && !text.contains("${"), "{text}");
    }
}

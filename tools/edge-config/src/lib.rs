//! The edge's configuration in a cluster, made from the generated template.

mod config;
mod fill;
mod mesh;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

pub use config::{Config, MeshTls};

/// The file that Envoy is started with.
pub const CONFIGURATION: &str = "edge.json";
const DESCRIPTOR: &str = "descriptor.binpb";

/// Writes [`CONFIGURATION`] and the descriptor beside it.
pub fn write(config: &Config) -> Result<()> {
    let text = fs::read_to_string(&config.template)
        .with_context(|| format!("cannot read {} (TEMPLATE)", config.template.display()))?;
    let descriptor = config.directory.join(DESCRIPTOR);
    let written = serde_json::to_vec(&render(&text, config, &descriptor)?)?;
    fs::copy(&config.descriptor, &descriptor)
        .with_context(|| format!("cannot copy {} (DESCRIPTOR)", config.descriptor.display()))?;
    if config.mesh_tls == MeshTls::Native {
        certificates(config, &descriptor)?;
    }
    let file = config.directory.join(CONFIGURATION);
    fs::write(&file, written).with_context(|| format!("cannot write {}", file.display()))
}

/// The configuration, for a descriptor that lies there.
pub fn render(template: &str, config: &Config, descriptor: &Path) -> Result<Value> {
    let values = config.values(descriptor)?;
    let filled = fill::fill(template, &values)?;
    let mut envoy: Value = serde_yaml_ng::from_str(&filled).context("the template is no YAML")?;
    if config.mesh_tls == MeshTls::Istio {
        mesh::behind_a_sidecar(&mut envoy, config)?;
    }
    Ok(envoy)
}

/// The files that say which certificates Envoy is to watch.
fn certificates(config: &Config, descriptor: &Path) -> Result<()> {
    let values = config.values(descriptor)?;
    let from = config.template.with_file_name("certificates");
    for name in ["authorities.yaml", "edge.yaml", "mesh.yaml"] {
        let file = from.join(name);
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        fs::write(config.directory.join(name), fill::fill(&text, &values)?)?;
    }
    Ok(())
}

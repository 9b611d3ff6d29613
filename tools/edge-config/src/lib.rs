//! The edge's configuration in a cluster, made from the generated template.

mod config;
mod fill;
mod mesh;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::Value;

pub use config::Config;

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
    let file = config.directory.join(CONFIGURATION);
    fs::write(&file, written).with_context(|| format!("cannot write {}", file.display()))
}

/// The configuration, for a descriptor that lies there.
pub fn render(template: &str, config: &Config, descriptor: &PathBuf) -> Result<Value> {
    let values = config.values(descriptor)?;
    let filled = fill::fill(template, &values)?;
    let mut envoy: Value = serde_yaml_ng::from_str(&filled).context("the template is no YAML")?;
    mesh::behind_a_sidecar(&mut envoy, config)?;
    Ok(envoy)
}

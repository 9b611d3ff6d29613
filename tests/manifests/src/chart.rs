//! A Helm chart of the overlays: settings become values, everything else stays.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use regex::{Captures, Regex};
use serde_json::Value;

use crate::{OVERLAYS, kustomize};

/// Where a setting's value belongs until the text is a template. No sign of it means
/// anything to kustomize or YAML.
const MARK: &str = "STOAxVALUEx";

/// The keys of an overlay's settings and their values.
pub fn settings(root: &Path, overlay: &str) -> Result<BTreeMap<String, String>> {
    let file = root.join("k8s/overlays").join(overlay).join("settings.yaml");
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let object: Value = serde_yaml_ng::from_str(&text)?;
    Ok(serde_json::from_value(object["data"].clone())?)
}

/// Writes the chart into a directory.
pub fn write(root: &Path, to: &Path) -> Result<()> {
    let templates = to.join("templates");
    fs::create_dir_all(&templates)?;
    fs::copy(root.join("deploy/helm/stoa/Chart.yaml"), to.join("Chart.yaml"))?;
    for overlay in OVERLAYS {
        fs::write(templates.join(format!("{overlay}.yaml")), template(root, overlay)?)?;
    }
    let mut values =
        "# Which overlay: production, staging, google, self-hosted or local.\nprofile: production\n"
            .to_owned();
    for (key, value) in settings(root, "production")? {
        writeln!(values, "{key}: {}", serde_json::to_string(&value)?)?;
    }
    Ok(fs::write(to.join("values.yaml"), values)?)
}

/// An overlay's objects as a template that is empty for every other profile.
fn template(root: &Path, overlay: &str) -> Result<String> {
    let marked = |key: &str| Value::String(format!("{MARK}{key}-x"));
    let objects = kustomize::render_with(&root.join("k8s/overlays").join(overlay), &marked)?;
    let mut text = String::new();
    for object in objects {
        write!(text, "---\n{}", serde_yaml_ng::to_string(&object)?)?;
    }
    // What Argo and the External Secrets Operator are to fill in is not Helm's.
    let text = text.replace("{{", "{{ \"{{\" }}");
    let alone = Regex::new(&format!("(?m): '?{MARK}([A-Za-z]+)-x'?$"))?;
    let text =
        alone.replace_all(&text, |found: &Captures<'_>| value(": {{ ", &found[1], " | toJson }}"));
    let item = Regex::new(&format!("(?m)- '?{MARK}([A-Za-z]+)-x'?$"))?;
    let text =
        item.replace_all(&text, |found: &Captures<'_>| value("- {{ ", &found[1], " | toJson }}"));
    let within = Regex::new(&format!("{MARK}([A-Za-z]+)-x"))?;
    let text = within.replace_all(&text, |found: &Captures<'_>| value("{{ ", &found[1], " }}"));
    // Helm reads YAML 1.1, to which these words are no texts.
    let word = Regex::new(r"(?m)(: |- )((?i:y|n|yes|no|on|off))$")?;
    let text = word.replace_all(&text, "$1'$2'");
    Ok(format!("{{{{- if eq .Values.profile \"{overlay}\" }}}}\n{text}{{{{- end }}}}\n"))
}

/// A value, without which nothing is rendered: as kustomize has it.
fn value(before: &str, key: &str, after: &str) -> String {
    format!("{before}required \"{key} is not set\" .Values.{key}{after}")
}

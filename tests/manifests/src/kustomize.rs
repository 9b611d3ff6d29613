//! The part of kustomize that the overlays use: resources, components, JSON patches and
//! replacements. Whatever else stands in a kustomization is an error, not overlooked.
//!
//! kustomize itself is in no package of Debian, PyPI or npm; a test compares the two
//! where it is installed.

mod patch;
mod path;
mod replace;
mod select;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::Value;

use self::patch::Patch;
use self::replace::Replacement;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code)]
struct Kustomization {
    api_version: String,
    kind: String,
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    components: Vec<String>,
    #[serde(default)]
    patches: Vec<Patch>,
    #[serde(default)]
    replacements: Vec<Replacement>,
}

const LOCAL: &str = "/metadata/annotations/config.kubernetes.io~1local-config";

/// Of the object that holds an overlay's settings.
const SETTINGS: &str = "stoa-settings";

/// What a setting is taken to be, by its name.
type Settings<'a> = Option<&'a dyn Fn(&str) -> Value>;

/// The objects of a directory, as `kubectl kustomize` prints them.
pub fn render(dir: &Path) -> Result<Vec<Value>> {
    whole(dir, None)
}

/// The same with other settings.
pub fn render_with(dir: &Path, settings: &dyn Fn(&str) -> Value) -> Result<Vec<Value>> {
    whole(dir, Some(settings))
}

fn whole(dir: &Path, settings: Settings<'_>) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    build(dir, &mut objects, settings)?;
    objects.retain(|object| object.pointer(LOCAL).is_none());
    Ok(objects)
}

/// Adds a directory to what there is; a component changes that, too.
fn build(dir: &Path, objects: &mut Vec<Value>, settings: Settings<'_>) -> Result<()> {
    let file = dir.join("kustomization.yaml");
    let text = fs::read_to_string(&file).with_context(|| format!("no {}", file.display()))?;
    let kustomization: Kustomization =
        serde_yaml_ng::from_str(&text).with_context(|| file.display().to_string())?;
    for resource in &kustomization.resources {
        let path = dir.join(resource);
        if path.is_dir() {
            // Whoever is no component sees only what is its own.
            let mut own = Vec::new();
            build(&path, &mut own, settings)?;
            objects.append(&mut own);
        } else {
            objects.extend(read(&path)?);
        }
    }
    if let Some(settings) = settings {
        let own = objects.iter_mut().filter(|object| object["metadata"]["name"] == SETTINGS);
        for (key, value) in own.filter_map(|object| object["data"].as_object_mut()).flatten() {
            *value = settings(key);
        }
    }
    for component in &kustomization.components {
        build(&dir.join(component), objects, settings)?;
    }
    for patch in &kustomization.patches {
        patch.apply(objects).with_context(|| file.display().to_string())?;
    }
    for replacement in &kustomization.replacements {
        replacement.apply(objects).with_context(|| file.display().to_string())?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("no {}", path.display()))?;
    let mut objects = Vec::new();
    for document in serde_yaml_ng::Deserializer::from_str(&text) {
        let object = Value::deserialize(document).with_context(|| path.display().to_string())?;
        if !object["kind"].is_string() {
            bail!("{}: a document is no object", path.display());
        }
        objects.push(object);
    }
    Ok(objects)
}

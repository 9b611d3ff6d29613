//! A value of one object in the place of those of others.

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::path;
use super::select::Selector;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replacement {
    source: Source,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Source {
    kind: String,
    name: String,
    field_path: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Target {
    select: Selector,
    field_paths: Vec<String>,
    options: Option<Options>,
}

/// Only this part of the text is replaced.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    delimiter: String,
    index: usize,
}

impl Replacement {
    pub(super) fn apply(&self, objects: &mut [Value]) -> Result<()> {
        let value = self.source.value(objects)?;
        for target in &self.targets {
            for object in &mut *objects {
                if target.select.matches(object)? {
                    target.replace(object, &value)?;
                }
            }
        }
        Ok(())
    }
}

impl Source {
    fn value(&self, objects: &mut [Value]) -> Result<Value> {
        let named = |object: &&mut Value| {
            object["kind"] == self.kind && object["metadata"]["name"] == self.name
        };
        let source = objects.iter_mut().find(named);
        let source = source.with_context(|| format!("there is no {} {}", self.kind, self.name))?;
        let found = path::find(source, &self.field_path)?;
        let value = found.into_iter().next();
        Ok(value.with_context(|| format!("{} has no {}", self.name, self.field_path))?.clone())
    }
}

impl Target {
    fn replace(&self, object: &mut Value, value: &Value) -> Result<()> {
        let name = object["metadata"]["name"].to_string();
        for field in &self.field_paths {
            let places = path::find(object, field)?;
            ensure!(!places.is_empty(), "{name} has no {field}");
            for place in places {
                match &self.options {
                    None => *place = value.clone(),
                    Some(options) => options.replace(place, value)?,
                }
            }
        }
        Ok(())
    }
}

impl Options {
    fn replace(&self, place: &mut Value, value: &Value) -> Result<()> {
        let text = place.as_str().context("only a part of text can be replaced")?;
        let value = value.as_str().context("only text can be a part of text")?;
        let mut parts: Vec<&str> = text.split(&self.delimiter).collect();
        *parts.get_mut(self.index).with_context(|| format!("{text} has too few parts"))? = value;
        *place = Value::String(parts.join(&self.delimiter));
        Ok(())
    }
}

//! Which objects a patch or a replacement means.

use anyhow::{Context as _, Result, bail};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Selector {
    kind: Option<String>,
    name: Option<String>,
    label_selector: Option<String>,
}

impl Selector {
    pub(super) fn matches(&self, object: &Value) -> Result<bool> {
        Ok(whole(self.kind.as_deref(), &object["kind"])?
            && whole(self.name.as_deref(), &object["metadata"]["name"])?
            && self.labels(&object["metadata"]["labels"])?)
    }

    /// `label=value` or `label in (one, other)`.
    fn labels(&self, labels: &Value) -> Result<bool> {
        let Some(wanted) = &self.label_selector else { return Ok(true) };
        if let Some((label, values)) = wanted.split_once(" in ") {
            let values = values.trim_start_matches('(').trim_end_matches(')');
            return Ok(values.split(',').any(|value| labels[label] == value.trim()));
        }
        let Some((label, value)) = wanted.split_once('=') else {
            bail!("a selector of labels that is not known: {wanted}");
        };
        Ok(labels[label] == value)
    }
}

/// Names are regular expressions over all of the text.
fn whole(pattern: Option<&str>, text: &Value) -> Result<bool> {
    let Some(pattern) = pattern else { return Ok(true) };
    // Most are plain names, for which no expression has to be compiled.
    if pattern.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Ok(text == pattern);
    }
    let pattern = Regex::new(&format!("^(?:{pattern})$")).context("a pattern of a selector")?;
    Ok(text.as_str().is_some_and(|text| pattern.is_match(text)))
}

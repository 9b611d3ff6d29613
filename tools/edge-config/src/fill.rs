//! Values in the place of `${NAME}`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// Every placeholder replaced, once: what is put in is not looked at again.
pub(crate) fn fill(template: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, following) = after.split_once('}').context("a `${` is not closed")?;
        let value = values.get(name);
        let value = value.with_context(|| format!("nothing stands for ${{{name}}}"))?;
        filled.push_str(before);
        // Values stand in single quotes, where YAML doubles a quote.
        filled.push_str(&value.replace('\'', "''"));
        rest = following;
    }
    filled.push_str(rest);
    Ok(filled)
}

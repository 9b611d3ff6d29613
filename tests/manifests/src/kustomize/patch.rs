//! JSON patches (RFC 6902).

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::select::Selector;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Patch {
    target: Selector,
    patch: String,
}

impl Patch {
    pub(super) fn apply(&self, objects: &mut [Value]) -> Result<()> {
        let operations: json_patch::Patch =
            serde_yaml_ng::from_str(&self.patch).context("only JSON patches are known")?;
        let mut meant = 0;
        for object in objects {
            if self.target.matches(object)? {
                let name = object["metadata"]["name"].to_string();
                json_patch::patch(object, &operations).with_context(|| name)?;
                meant += 1;
            }
        }
        // kustomize says nothing then; here it is a mistake.
        ensure!(meant > 0, "a patch is for no object:\n{}", self.patch);
        Ok(())
    }
}

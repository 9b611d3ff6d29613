//! Breaks that somebody gave a reason for.

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

/// A break, found by buf or here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Break {
    /// buf's rule, or one of ours, for example `DEADLINE_SHORTENED`.
    pub rule: String,
    /// Full name; for buf's the `.proto` file.
    pub element: String,
    /// What holds from now on; does not say what held before, so that it means the
    /// same against every base.
    pub now: String,
}

/// An entry of `proto/breaking-approved.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub rule: String,
    pub element: String,
    pub now: String,
    /// Why it has to be, and what becomes of those who rely on it.
    pub reason: String,
    /// Who approved it and when or where: a name and a date or a pull request.
    pub approved: String,
}

/// All approved breaks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals(pub Vec<Approval>);

impl Break {
    /// The entry to add, to be completed.
    pub fn entry(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        format!(
            "- rule: {}\n  element: {}\n  now: {}\n  reason: \n  approved: \n",
            self.rule,
            quoted(&self.element),
            quoted(&self.now)
        )
    }
}

impl Approvals {
    /// Reads the file; every entry says why and who.
    pub fn parse(yaml: &str) -> Result<Self> {
        let list: Option<Vec<Option<Approval>>> =
            serde_yaml_ng::from_str(yaml).context("not a list of approved breaks")?;
        let entries: Vec<Approval> = list.into_iter().flatten().flatten().collect();
        for entry in &entries {
            let Approval { rule, element, reason, approved, .. } = entry;
            ensure!(
                !reason.trim().is_empty(),
                "{rule} {element}: an approved break needs a reason"
            );
            ensure!(!approved.trim().is_empty(), "{rule} {element}: says not who approved it");
        }
        Ok(Self(entries))
    }

    /// The entry for a break.
    pub fn of(&self, found: &Break) -> Option<&Approval> {
        self.0.iter().find(|a| a.approves(found))
    }

    /// The breaks that nobody approved.
    pub fn missing<'a>(&self, breaks: &'a [Break]) -> Vec<&'a Break> {
        breaks.iter().filter(|b| self.of(b).is_none()).collect()
    }

    /// The entries that approve none of these.
    pub fn stale(&self, breaks: &[Break]) -> Vec<&Approval> {
        self.0.iter().filter(|a| !breaks.iter().any(|b| a.approves(b))).collect()
    }
}

impl Approval {
    fn approves(&self, found: &Break) -> bool {
        self.rule == found.rule && self.element == found.element && self.now == found.now
    }
}

//! Everything that breaks: on the wire as `buf breaking` sees it, and in the law.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use contract::Contract;
use contract::review::{Break, Change};
use serde::Deserialize;

/// buf's exit code when it found something.
const FOUND: i32 = 100;

/// A finding of buf.
#[derive(Debug, Deserialize)]
pub struct Wire {
    path: String,
    #[serde(default)]
    start_line: usize,
    #[serde(rename = "type")]
    rule: String,
    message: String,
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, start_line, rule, message } = self;
        write!(f, "`proto/{path}:{start_line}` {rule}: {message}")
    }
}

impl Wire {
    fn to_break(&self) -> Break {
        let Self { path, rule, message, .. } = self;
        Break { rule: rule.clone(), element: path.clone(), now: without_before(message) }
    }
}

/// All that needs an approval, each once.
pub fn all(buf: &Path, root: &Path, before: &Contract, after: &Contract) -> Result<Vec<Break>> {
    let mut breaks: Vec<Break> =
        wire(buf, root, before, after)?.iter().map(Wire::to_break).collect();
    let changes = contract::review::changes(before, after)?;
    breaks.extend(changes.iter().filter_map(Change::as_break));
    breaks.sort();
    breaks.dedup();
    Ok(breaks)
}

/// What buf says of our own files, by the rules of the checkout's `buf.yaml`.
pub fn wire(buf: &Path, root: &Path, before: &Contract, after: &Contract) -> Result<Vec<Wire>> {
    let dir = tempfile::tempdir()?;
    let (old, new) = (dir.path().join("before.binpb"), dir.path().join("after.binpb"));
    fs::write(&old, before.pool.encode_to_vec())?;
    fs::write(&new, after.pool.encode_to_vec())?;
    let mut command = Command::new(buf);
    command.current_dir(root).arg("breaking").arg(&new).arg("--against").arg(&old);
    command.arg("--config").arg(root.join("buf.yaml")).args(["--error-format", "json"]);
    let output = command.output().context("cannot run buf")?;
    if !output.status.success() && output.status.code() != Some(FOUND) {
        bail!("buf breaking: {}", String::from_utf8_lossy(&output.stderr));
    }
    let lines = String::from_utf8_lossy(&output.stdout);
    let found = lines.lines().map(serde_json::from_str::<Wire>).collect::<Result<Vec<_>, _>>();
    // Imports are in the sets too; they are others' contracts.
    Ok(found?.into_iter().filter(|w| w.path.starts_with("stoa/")).collect())
}

/// A message without the value of before: `changed type from "a" to "b"` says the same
/// as `changed type to "b"`, and that is what gets approved.
fn without_before(message: &str) -> String {
    let mut parts = message.split(" from \"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').map_or(part, |(_, rest)| rest));
    }
    text
}

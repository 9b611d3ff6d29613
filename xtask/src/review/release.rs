//! `contract-release`: today's contract becomes the one that later ones must not break.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;
use contract::release::{self, Released};

use super::{breaking, gate};

/// An empty list of approved breaks.
const NONE_APPROVED: &str = "\
# Breaking changes of the contract since its last release, made on purpose: see
# docs/contract-review.md. `make lint` shows the entry that it misses;
# `make contract-release` moves them to the release's manifest.
[]
";

#[derive(Args)]
pub struct Release {
    /// For example 0.2.
    #[arg(long)]
    version: String,
}

impl Release {
    pub fn run(&self, root: &Path) -> Result<()> {
        publish(&crate::lint::buf(root)?, root, &self.version)
    }
}

/// Writes the release; every break since the last one must be approved, and every
/// approval must be of a break.
pub fn publish(buf: &Path, root: &Path, version: &str) -> Result<()> {
    let contract = contract::load(root)?;
    let listed = gate::approvals(root)?;
    let mut approved = listed.clone();
    if let Some(Released { version: last, contract: before, breaks, .. }) = release::read(root)? {
        let found = breaking::all(buf, root, &before, &contract)?;
        gate::passes(&listed, &found)?;
        gate::no_stale(&listed, &found)?;
        // The same release made again keeps what it broke.
        if last == version {
            approved.0.extend(breaks);
        }
    }
    let files = release::files(&contract, version, &approved.0)?;
    let dir = root.join(release::DIR);
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    for file in &files {
        let path = root.join(&file.path);
        fs::create_dir_all(path.parent().context("a file in no directory")?)?;
        fs::write(&path, &file.contents)?;
    }
    fs::write(root.join(gate::APPROVED), NONE_APPROVED)?;
    println!("released {version}: {} files in {}", files.len(), release::DIR);
    Ok(())
}

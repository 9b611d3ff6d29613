//! Packages from npm, pinned, in a cache that all checkouts share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use stack::{Layout, Terminal};

use crate::cargo::run;

/// The directory with the `node_modules` of packages such as `@bufbuild/buf@1.75.0`;
/// they are installed at the first use, together.
pub fn installed(root: &Path, packages: &[&str]) -> Result<PathBuf> {
    let cache = stack::cache_dir()?.join("npm");
    let dir = cache.join(packages.join("+").replace('/', "_"));
    if dir.exists() {
        return Ok(dir);
    }
    if Command::new("npm").arg("--version").output().is_err() {
        let layout = Layout::new(&root.join(".stoa/lint"))?;
        stack::install_packages(&["npm", "nodejs"], &layout, &mut Terminal)?;
    }
    // Moved when it is whole, so that an interrupted installation is never used.
    let partial = cache.join(format!("partial-{}", std::process::id()));
    fs::create_dir_all(&partial)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-fund", "--no-audit", "--loglevel=error", "--prefix"]);
    if let Err(error) = run(npm.arg(&partial).args(packages)) {
        // What is left is of no use; the installation's error matters, not this one's.
        let _ = fs::remove_dir_all(&partial);
        return Err(error);
    }
    let moved = fs::rename(&partial, &dir);
    if moved.is_err() && dir.exists() {
        // Somebody else was faster.
        fs::remove_dir_all(&partial)?;
        return Ok(dir);
    }
    moved.with_context(|| format!("cannot write {}", dir.display()))?;
    Ok(dir)
}

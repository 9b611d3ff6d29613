//! Prometheus' own checks of rules and alerts: that they are well formed, and
//! that they fire when they should.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::run;

pub fn check(root: &Path) -> Result<()> {
    let promtool = promtool()?;
    let dir = root.join("observability/prometheus");
    let run_on = |arguments: [&str; 2], files: &str| {
        let files = yaml(&dir.join(files))?;
        run(Command::new(&promtool).args(arguments).args(files))
    };
    run_on(["check", "rules"], "rules")?;
    run_on(["check", "rules"], "alerts")?;
    run_on(["test", "rules"], "tests")
}

fn yaml(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    let paths = entries.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    let mut files: Vec<_> =
        paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    Ok(files)
}

/// The program: the machine's own, or taken out of Debian's package at the first use.
///
/// The package itself is not installed: it would also bring a server and have it
/// started with the machine.
fn promtool() -> Result<PathBuf> {
    if Command::new("promtool").arg("--version").output().is_ok_and(|o| o.status.success()) {
        return Ok("promtool".into());
    }
    let dir = stack::cache_dir()?.join("promtool");
    let promtool = dir.join("promtool");
    if promtool.exists() {
        return Ok(promtool);
    }
    fs::create_dir_all(&dir)?;
    let work = tempfile::tempdir_in(&dir)?;
    let download =
        || run(Command::new("apt-get").args(["download", "prometheus"]).current_dir(&work));
    if download().is_err() {
        run(Command::new("apt-get").arg("update"))?;
        download().context("promtool is missing; it comes with Debian's package prometheus")?;
    }
    let package = fs::read_dir(&work)?.next().context("nothing was downloaded")??.path();
    run(Command::new("dpkg-deb").arg("-x").arg(package).arg(work.path().join("files")))?;
    fs::rename(work.path().join("files/usr/bin/promtool"), &promtool)?;
    Ok(promtool)
}

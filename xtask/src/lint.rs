//! `lint`: everything that can be said about the code without running it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use stack::{Layout, Terminal};

use crate::cargo::{cargo, run as run_command};
use crate::client;

/// Checks the contract's style; from npm.
const BUF: &str = "1.75.0";

pub fn run(root: &Path) -> Result<()> {
    run_command(cargo(root).args(["fmt", "--all", "--check"]))?;
    run_command(cargo(root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let buf = buf(root)?;
    let buf = || {
        let mut command = Command::new(&buf);
        command.current_dir(root);
        command
    };
    run_command(buf().arg("lint"))?;
    run_command(buf().args(["format", "-d", "--exit-code", "proto"]))?;
    client::lint(root)?;
    run_command(cargo(root).args(["test", "--package", "tidy"]))
}

pub fn format(root: &Path) -> Result<()> {
    run_command(cargo(root).args(["fmt", "--all"]))?;
    run_command(Command::new(buf(root)?).current_dir(root).args(["format", "-w", "proto"]))
}

/// The program, installed at the first use in a cache that all checkouts share.
fn buf(root: &Path) -> Result<PathBuf> {
    let dir = stack::cache_dir()?.join("buf").join(BUF);
    let buf = dir.join("node_modules/.bin/buf");
    if buf.exists() {
        return Ok(buf);
    }
    if Command::new("npm").arg("--version").output().is_err() {
        let layout = Layout::new(&root.join(".stoa/lint"))?;
        stack::install_packages(&["npm", "nodejs"], &layout, &mut Terminal)?;
    }
    fs::create_dir_all(&dir)?;
    let package = format!("@bufbuild/buf@{BUF}");
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-fund", "--no-audit", "--prefix"]).arg(&dir).arg(package);
    run_command(&mut npm)?;
    Ok(buf)
}

//! `lint`: everything that can be said about the code without running it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use stack::{Layout, Terminal};

use crate::cargo::{cargo, run as run_command};
use crate::{client, dashboards, manifests, promtool, review, secrets};

/// Checks the contract's style.
const BUF: &str = "@bufbuild/buf@1.75.0";

pub fn run(root: &Path) -> Result<()> {
    secrets::check(root)?;
    run_command(cargo(root).args(["fmt", "--all", "--check"]))?;
    run_command(cargo(root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let path = buf(root)?;
    let buf = || {
        let mut command = Command::new(&path);
        command.current_dir(root);
        command
    };
    run_command(buf().arg("lint"))?;
    run_command(buf().args(["format", "-d", "--exit-code", "proto"]))?;
    review::check(&path, root)?;
    manifests::check(root)?;
    promtool::check(root)?;
    dashboards::check(root)?;
    client::lint(root)?;
    run_command(cargo(root).args(["test", "--package", "tidy"]))
}

pub fn format(root: &Path) -> Result<()> {
    run_command(cargo(root).args(["fmt", "--all"]))?;
    run_command(Command::new(buf(root)?).current_dir(root).args(["format", "-w", "proto"]))
}

/// The program; installed at the first use.
pub fn buf(root: &Path) -> Result<PathBuf> {
    let layout = Layout::new(&root.join(".stoa/lint"))?;
    Ok(stack::install_npm(&[BUF], &layout, &mut Terminal)?.join("node_modules/.bin/buf"))
}

//! Runs other programs in the checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A cargo command in the checkout.
///
/// What `cargo xtask` tells us through the environment is taken out: build
/// scripts watch some of it and would run again for nothing.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|p| name.starts_with(p)) {
            command.env_remove(&*name);
        }
    }
    command.current_dir(root).stdin(Stdio::null());
    command
}

/// Runs a command with its output on ours; fails unless it exits with 0.
pub fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    println!("$ {line}");
    let status = command.status().with_context(|| format!("cannot run `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// The same, without blocking the runtime: signals are still heard.
pub async fn run_async(command: Command) -> Result<()> {
    let line = shown(&command);
    println!("$ {line}");
    let mut command = tokio::process::Command::from(command);
    let status = command.kill_on_drop(true).status().await;
    let status = status.with_context(|| format!("cannot run `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The directory with the built programs: xtask is one of them.
pub fn bin_dir() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    Ok(me.parent().context("xtask lies in no directory")?.to_owned())
}

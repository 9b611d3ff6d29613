//! Looks for secrets in every file that Git knows or would take.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use stack::{Layout, Terminal};

const SCRIPT: &str = "xtask/src/secrets/scan.py";

/// Fails naming file, line and kind of everything that looks like a secret.
pub fn check(root: &Path) -> Result<()> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let files = git.output().context("cannot run git")?;
    ensure!(files.status.success(), "git does not list its files");
    println!("$ python {SCRIPT}");
    let found = scan(root, root, &files.stdout)?;
    print!("{found}");
    ensure!(found.is_empty(), "there are secrets; docs/security/secrets.md says what to do");
    Ok(())
}

/// What is found in files below `dir`, a line each; their names are ended by NUL.
fn scan(root: &Path, dir: &Path, files: &[u8]) -> Result<String> {
    let layout = Layout::new(&root.join(".stoa/lint"))?;
    let mut python = Command::new(stack::secret_scanner(&layout, &mut Terminal)?);
    python.arg(root.join(SCRIPT)).current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().context("cannot run python")?;
    let mut input = python.stdin.take().context("python has no input")?;
    input.write_all(files)?;
    drop(input);
    let output = python.wait_with_output()?;
    ensure!(output.status.success(), "the scan failed");
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests;

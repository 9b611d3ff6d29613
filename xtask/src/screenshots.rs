//! `screenshots`: the pictures in the documentation, of a platform started for them.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{bin_dir, cargo, run_async};
use crate::up::interrupted;

pub async fn run(root: &Path) -> Result<()> {
    tokio::select! {
        outcome = take(root) => outcome,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    }
}

async fn take(root: &Path) -> Result<()> {
    let mut build = cargo(root);
    build.args(["build", "--workspace", "--bins"]);
    run_async(build).await?;
    let mut browser = Command::new(bin_dir()?.join("browser"));
    browser.arg("screenshots").env("STOA_BIN_DIR", bin_dir()?);
    run_async(browser).await
}

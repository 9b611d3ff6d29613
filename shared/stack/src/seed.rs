//! The first assortment, filled in by the program that operators have for it.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use tokio::process::Command;

use crate::options::Options;

/// What `stoactl seed --json` answers.
#[derive(Deserialize)]
struct Seeded {
    added: usize,
}

/// Fills an empty catalogue; answers how many products were added.
pub(crate) async fn fill(options: &Options) -> Result<usize> {
    let program = options.bin_dir.join("stoactl");
    let mut command = Command::new(&program);
    command.arg("--state").arg(&options.state).args(["--json", "seed"]);
    command.arg(options.root.join("seeds/catalogue.json"));
    // Nothing that somebody has set for a platform elsewhere.
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.with_context(|| program.display().to_string())?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cannot fill the catalogue: {}", error.trim());
    let Seeded { added } = serde_json::from_slice(&output.stdout)?;
    Ok(added)
}

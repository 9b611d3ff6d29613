//! `chaos`: the platform under faults, whole or broken on purpose.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cargo::{bin_dir, cargo, run_async};

#[derive(Args)]
pub struct Arguments {
    /// How long things go wrong, in minutes.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// The same seed makes the same faults; a random one if not said.
    #[arg(long)]
    seed: Option<u64>,
    /// How many customers shop at the same time.
    #[arg(long, default_value_t = 12)]
    customers: usize,
    /// Run a build that breaks a promise: the checker must notice.
    #[arg(long)]
    broken: Option<Broken>,
}

/// A promise that a build breaks on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Broken {
    /// Orders that fail or are cancelled give nothing back.
    SkipUndo,
    /// Facts that come again have their effect again.
    SkipInbox,
}

impl Broken {
    /// The service that is built so.
    fn service(self) -> &'static str {
        match self {
            Self::SkipUndo => "orders",
            Self::SkipInbox => "notifications",
        }
    }

    /// As the service knows it.
    fn name(self) -> &'static str {
        match self {
            Self::SkipUndo => "skip-undo",
            Self::SkipInbox => "skip-inbox",
        }
    }
}

impl Arguments {
    pub async fn run(&self, root: &Path) -> Result<()> {
        let programs = match self.broken {
            Some(broken) => sabotaged(root, broken).await?,
            None => {
                build(root, &["--workspace", "--bins"]).await?;
                bin_dir()?
            }
        };
        let mut chaos = std::process::Command::new(bin_dir()?.join("chaos"));
        chaos.current_dir(root).arg("--bin-dir").arg(programs);
        chaos.args(["--minutes", &self.minutes.to_string()]);
        chaos.args(["--customers", &self.customers.to_string()]);
        chaos.args(self.seed.map(|seed| format!("--seed={seed}")));
        chaos.args(self.broken.map(|broken| format!("--sabotage={}", broken.name())));
        run_async(chaos).await
    }
}

/// A directory with all programs, one of them broken. The usual ones stay as they are.
async fn sabotaged(root: &Path, broken: Broken) -> Result<PathBuf> {
    let (usual, service) = (bin_dir()?, broken.service());
    let dir = usual.join("sabotaged");
    fs::create_dir_all(&dir)?;
    let feature = format!("{service}/sabotage");
    build(root, &["--workspace", "--bins", "--features", &feature]).await?;
    replace(&usual.join(service), &dir.join(service))?;
    build(root, &["--workspace", "--bins"]).await?;
    for entry in fs::read_dir(&usual)? {
        let path = entry?.path();
        let Some(name) = path.file_name().filter(|_| path.is_file() && path.extension().is_none())
        else {
            continue;
        };
        if name != service {
            replace(&path, &dir.join(name))?;
        }
    }
    Ok(dir)
}

/// Links a file to where another may be.
fn replace(from: &Path, to: &Path) -> Result<()> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(fs::hard_link(from, to)?),
    }
}

async fn build(root: &Path, what: &[&str]) -> Result<()> {
    let mut build = cargo(root);
    build.arg("build").args(what);
    run_async(build).await
}

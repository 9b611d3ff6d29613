//! `make upgrade`: one release follows another under a load of checkouts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use chaos::upgrade::{Breaking, Settings, run, summary};
use clap::Parser;

/// Lets one release follow another while customers order, and checks that nothing was
/// lost and nobody was refused.
#[derive(Parser)]
struct Arguments {
    /// The release that runs at first: a directory with its `bin`, `envoy`, `docs/api`.
    #[arg(long)]
    before: PathBuf,
    /// The one that follows.
    #[arg(long)]
    next: PathBuf,
    /// What customers do is made from it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many customers shop at the same time.
    #[arg(long, default_value_t = 8)]
    customers: usize,
    /// Orders that are acknowledged between two steps.
    #[arg(long, default_value_t = 12)]
    orders: usize,
    /// Start stores without TLS, for a release before that knows none.
    #[arg(long)]
    plain_stores: bool,
    /// Break the rules for migrations: it must be noticed.
    #[arg(long)]
    breaking: Option<Breaking>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match upgrade(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn upgrade(arguments: Arguments) -> Result<bool> {
    let Arguments { before, next, seed, customers, orders, plain_stores, breaking } = arguments;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let file = root.join(".stoa/upgrade-report.md");
    let settings = Settings { root, before, next, seed, customers, orders, plain_stores, breaking };
    let outcome = run(&settings, |line| println!("{line}")).await?;
    let text = summary(&outcome);
    std::fs::write(&file, &text).with_context(|| file.display().to_string())?;
    println!("\n{text}");
    Ok(outcome.violations.is_empty() && outcome.findings.violations.is_empty())
}

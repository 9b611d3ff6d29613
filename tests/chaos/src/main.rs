//! `make chaos`: the platform under faults for as long as one likes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chaos::plan::plan;
use chaos::report::{report, summary};
use chaos::run::{Settings, run};
use clap::Parser;

/// Lets things go wrong while customers order, and checks that nothing was lost.
#[derive(Parser)]
struct Arguments {
    /// How long things go wrong, in minutes.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// The same seed makes the same faults; a random one if not said.
    #[arg(long)]
    seed: Option<u64>,
    /// How many customers shop at the same time.
    #[arg(long, default_value_t = 12)]
    customers: usize,
    /// Where the programs are; with this one, if not said.
    #[arg(long)]
    bin_dir: Option<PathBuf>,
    /// Ask a build that can do so to break its promise (`SABOTAGE`).
    #[arg(long)]
    sabotage: Option<String>,
    /// Only show what would go wrong.
    #[arg(long)]
    plan: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match chaos(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn chaos(arguments: Arguments) -> Result<bool> {
    let Arguments { minutes, seed, customers, bin_dir, sabotage, plan: only_plan } = arguments;
    ensure!((0.1..=1_440.0).contains(&minutes), "--minutes must be between 0.1 and 1440");
    let length = Duration::from_secs_f64(minutes * 60.0);
    let seed = seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    if only_plan {
        for planned in plan(seed, length) {
            let (at, lasts) = (planned.at.as_secs_f64(), planned.lasts.as_secs_f64());
            println!("{at:7.1} s  {} for {lasts:.1} s", planned.fault);
        }
        return Ok(true);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let beside = std::env::current_exe()?.parent().map(Path::to_owned);
    let bin_dir = bin_dir.or(beside);
    let name = "chaos".to_owned();
    let settings = Settings { root, bin_dir, name, seed, length, customers, sabotage };
    let outcome = run(&settings, |line| println!("{line}")).await?;
    let file = settings.root.join(".stoa/chaos-report.md");
    std::fs::write(&file, report(&outcome)).with_context(|| file.display().to_string())?;
    println!("\n{}\nEvery fault: {}", summary(&outcome), file.display());
    Ok(outcome.findings.violations.is_empty())
}

//! What the platform's own mechanisms cost, against the bare thing, in one run.
//! `make bench` starts stores for it.

mod capacity;
mod facts;
mod hot_stock;
mod load;
mod login_storm;
mod notify;
mod table;
mod usage;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};

#[derive(Parser)]
#[command(about = "Benchmarks on real stores; run them with `make bench`")]
struct Arguments {
    /// What to measure [default: everything].
    #[arg(long, value_enum)]
    only: Option<Bench>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// One product that everybody buys.
    HotStock,
    /// Facts from commit to effect.
    Facts,
    /// What waking the relay costs those who commit.
    Notify,
    /// Many who sign in at once, and those who are signed in.
    LoginStorm,
    /// What a page and an order cost each process of the whole platform.
    Capacity,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { only, seconds } = Arguments::parse();
    let (seconds, wanted) = (Duration::from_secs(seconds), |b| only.is_none_or(|only| only == b));
    if wanted(Bench::HotStock) {
        hot_stock::run(seconds).await?;
    }
    if wanted(Bench::Facts) {
        facts::run(seconds).await?;
    }
    if wanted(Bench::Notify) {
        notify::run(seconds).await?;
    }
    if wanted(Bench::LoginStorm) {
        login_storm::run(seconds).await?;
    }
    if wanted(Bench::Capacity) {
        capacity::run(seconds).await?;
    }
    Ok(())
}

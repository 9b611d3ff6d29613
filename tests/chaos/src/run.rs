//! One run: open the shop, let things go wrong, make them good, check.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use crate::check::{self, Findings, Settled, Stores};
use crate::faults::Platform;
use crate::plan::{Planned, plan};
use crate::shop::{Purchase, Shop};

/// Business goes on for this long after everything was made good.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// What to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The checkout.
    pub root: PathBuf,
    /// Where the programs are; with the running one, if not said.
    pub bin_dir: Option<PathBuf>,
    /// Its state is kept in `.stoa/<name>`.
    pub name: String,
    pub seed: u64,
    /// How long things go wrong.
    pub length: Duration,
    pub customers: usize,
    /// The promise that a build breaks on purpose, to see that it is noticed.
    pub sabotage: Option<String>,
}

/// A fault that happened.
#[derive(Debug, Clone, Copy)]
pub struct Suffered {
    pub planned: Planned,
    pub began: Instant,
    pub ended: Instant,
    /// From when it was made good until the next order was acknowledged.
    pub recovery: Option<Duration>,
}

/// What came of it.
pub struct Outcome {
    pub seed: u64,
    pub length: Duration,
    pub customers: usize,
    pub suffered: Vec<Suffered>,
    pub requests: u64,
    pub indefinite: u64,
    pub purchases: Vec<Purchase>,
    /// From when everything was made good until every service said so.
    pub ready: Duration,
    pub settled: Settled,
    pub findings: Findings,
}

/// Runs it all; `tell` hears how it goes.
pub async fn run(settings: &Settings, tell: impl Fn(String)) -> Result<Outcome> {
    let Settings { seed, length, customers, .. } = settings;
    tell("starting the platform".to_owned());
    let platform = Arc::new(Platform::start(settings).await?);
    let mut shop = Shop::open(&platform.stack, *seed, *customers).await?;
    tell(format!("{customers} customers are shopping; seed {seed}"));
    let mut suffered = go_wrong(&platform, *seed, *length, &tell).await?;
    let healed = Instant::now();
    platform.ready().await?;
    let ready = healed.elapsed();
    tokio::time::sleep(AFTERWARDS).await;
    let purchases = shop.close().await?;
    tell("everything is made good; waiting for it to come to rest".to_owned());
    let stores = Stores::open(&platform.stack)?;
    let settled = check::settle(&stores, Instant::now()).await?;
    let findings = check::check(&platform.stack, &stores, &shop.products, &purchases).await?;
    let acknowledged = shop.notes.acknowledgements();
    for fault in &mut suffered {
        let next = acknowledged.iter().find(|at| **at >= fault.ended);
        fault.recovery = next.map(|at| *at - fault.ended);
    }
    let (requests, indefinite) = shop.notes.requests();
    Ok(Outcome {
        seed: *seed,
        length: *length,
        customers: *customers,
        suffered,
        requests,
        indefinite,
        purchases,
        ready,
        settled,
        findings,
    })
}

/// Every fault at its time; answers when all are made good.
async fn go_wrong(
    platform: &Arc<Platform>,
    seed: u64,
    length: Duration,
    tell: &impl Fn(String),
) -> Result<Vec<Suffered>> {
    let start = Instant::now();
    let mut going_on = JoinSet::new();
    for planned in plan(seed, length) {
        sleep_until((start + planned.at).into()).await;
        tell(format!("{:6.1} s  {}", start.elapsed().as_secs_f64(), planned.fault));
        let platform = Arc::clone(platform);
        going_on.spawn(async move {
            let (began, ended) = platform.suffer(planned.fault, planned.lasts).await?;
            anyhow::Ok(Suffered { planned, began, ended, recovery: None })
        });
    }
    let mut suffered = Vec::new();
    while let Some(fault) = going_on.join_next().await {
        suffered.push(fault.context("a fault panicked")??);
    }
    suffered.sort_by_key(|fault| fault.began);
    Ok(suffered)
}

//! One release follows another under a load of checkouts, and goes back, and forward
//! again: what runs before a migration, during it and after it hurts nobody.

mod before;
mod breaking;
mod load;
mod phases;
mod report;
mod roll;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use stack::{Options, Quiet, SERVICES, Stack};

pub use self::breaking::Breaking;
pub use self::phases::Phase;
use self::phases::Phases;
pub use self::report::summary;
use self::roll::Rollout;
use crate::check::{self, Findings, Settled, Stores};
use crate::shop::{Purchase, Shop};

/// What to try.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The checkout; the state is kept in `.stoa/upgrade` below it.
    pub root: PathBuf,
    /// The release that runs at first: `bin`, `envoy` and `docs/api` of it.
    pub before: PathBuf,
    /// The one that follows.
    pub next: PathBuf,
    pub seed: u64,
    pub customers: usize,
    /// Orders that are acknowledged between two steps.
    pub orders: usize,
    /// The release before knows no TLS to stores.
    pub plain_stores: bool,
    /// A migration that breaks the rules, after those of the next release.
    pub breaking: Option<Breaking>,
}

/// What came of it.
pub struct Outcome {
    pub phases: Vec<Phase>,
    /// How many migrations every service's schema gained.
    pub gained: Vec<(&'static str, i64)>,
    /// Processes of the next release that waited for their schema.
    pub waited: Vec<&'static str>,
    pub purchases: Vec<Purchase>,
    pub settled: Settled,
    pub findings: Findings,
    /// What the roll-out itself violated, beside what the checker found.
    pub violations: Vec<String>,
}

/// All processes of a service listen on one address, as pods do behind a Service, and
/// the edge asks for their health every two seconds.
const SIDE_BY_SIDE: [(&str, &str); 2] = [("REUSE_PORT", "true"), ("DRAIN_NOTICE_MS", "3000")];

/// Runs it all; `tell` hears how it goes.
pub async fn run(settings: &Settings, tell: impl Fn(&str)) -> Result<Outcome> {
    tell("starting the release before");
    let mut options = Options::private(&settings.root, "upgrade")?;
    options.root.clone_from(&settings.before);
    options.plain_stores = settings.plain_stores;
    options.bin_dir = settings.before.join("bin");
    for (service, (name, value)) in
        SERVICES.into_iter().flat_map(|service| SIDE_BY_SIDE.map(|setting| (service, setting)))
    {
        options.settings.push((service.into(), name.into(), value.into()));
    }
    let stack = Stack::start(options, &mut Quiet).await?;
    stack.limit_rates(false).await?;
    let stores = Stores::open(&stack)?;
    let mut shop = Shop::open(&stack, settings.seed, settings.customers).await?;
    let visitors = load::Visitors::enter(&stack, &shop)?;
    tell(&format!("{} customers are shopping; seed {}", settings.customers, settings.seed));

    let notes = Arc::clone(&shop.notes);
    let mut phases = Phases::new(&notes, settings.orders, &tell);
    let mut rollout = Rollout::new(&stack, settings)?;
    let steps = steps(&mut phases, &mut rollout, &stores, settings.breaking).await;
    let (gained, waited, mut violations) = steps?;
    visitors.leave().await?;
    let purchases = shop.close().await?;
    tell("the shop is closed; waiting for it to come to rest");
    let settled = check::settle(&stores, Instant::now()).await?;
    let findings = check::check(&stack, &stores, &shop.products, &purchases).await?;
    violations.extend(phases.violations());
    violations.extend(unsettled(&purchases));
    let phases = phases.end();
    Ok(Outcome { phases, gained, waited, purchases, settled, findings, violations })
}

type Seen = (Vec<(&'static str, i64)>, Vec<&'static str>, Vec<String>);

/// The whole story. Ends early where customers cannot go on.
async fn steps(
    phases: &mut Phases<'_>,
    rollout: &mut Rollout<'_>,
    stores: &Stores,
    breaking: Option<Breaking>,
) -> Result<Seen> {
    let mut violations = Vec::new();
    phases.begin("the release before, on its schema");
    phases.orders().await;

    phases.begin("the next one beside it, before its migrations");
    let early = rollout.too_early().await?;
    phases.orders().await;
    rollout.withdraw(&early).await?;

    phases.begin("its migrations, under the release before");
    let gained = rollout.migrate(stores).await?;
    for (service, _) in gained.iter().filter(|(_, migrations)| *migrations > 0) {
        violations.extend(early.iter().filter(|e| e.service == *service).flat_map(|e| e.wrong()));
    }
    if let Some(breaking) = breaking {
        breaking.apply(stores).await?;
    }
    let waited = early.iter().filter(|e| e.waited()).map(|e| e.service).collect();

    phases.begin("the release before, on the next one's schema");
    if phases.orders().await {
        let forward = rollout.services();
        let back: Vec<&str> = forward.iter().rev().copied().collect();
        let rolls = [("forward", &forward), ("back", &forward), ("forward again", &back)];
        for (number, (direction, services)) in rolls.into_iter().enumerate() {
            let to_next = number != 1;
            for service in services {
                phases.begin(&format!("{direction}: {service}"));
                let went_on = rollout.replace(service, to_next, phases, &mut violations).await?;
                if !went_on {
                    return Ok((gained, waited, violations));
                }
            }
            phases.begin(&format!("{direction}: done"));
            phases.orders().await;
        }
    }
    phases.begin("the shop closes");
    Ok((gained, waited, violations))
}

/// Purchases that no retry with their key has settled.
fn unsettled(purchases: &[Purchase]) -> Vec<String> {
    let open = purchases.iter().filter(|p| p.told.is_empty() && p.refused.is_none());
    open.map(|p| format!("purchase {}: no retry with its key was answered", p.key)).collect()
}

/// How long anything may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

//! What is done by the clock. A failed round is told and made up for by the next.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use anyhow::Result;
use runtime::Shutdown;
use uuid::Uuid;

use crate::config::{ReconcileConfig, RetentionConfig, SweepConfig};
use crate::core::ports::Window;
use crate::core::{Error, Payments};
use crate::domain::{Discrepancy, DiscrepancyKind};

/// Settles what was left open.
pub(super) async fn sweep(core: Payments, config: SweepConfig, shutdown: Shutdown) -> Result<()> {
    let mut clock = Clock::new(config.every(), shutdown);
    while clock.strikes().await {
        told("not swept", core.sweep().await);
    }
    Ok(())
}

/// Removes what is old.
pub(super) async fn purge(
    core: Payments,
    config: RetentionConfig,
    shutdown: Shutdown,
) -> Result<()> {
    let mut clock = Clock::new(config.every(), shutdown);
    while clock.strikes().await {
        told("not purged", core.purge(config.keep()).await);
    }
    Ok(())
}

/// Compares the last day with the provider's books.
pub(super) async fn reconcile(
    core: Payments,
    config: ReconcileConfig,
    shutdown: Shutdown,
) -> Result<()> {
    let mut clock = Clock::new(config.every(), shutdown.clone());
    while clock.strikes().await {
        // Nothing is lost when a comparison is broken off.
        let round = compare(&core, config);
        let Some(done) = shutdown.run_until_cancelled(round).await else { break };
        told("not reconciled", done);
    }
    Ok(())
}

struct Clock {
    ticks: tokio::time::Interval,
    shutdown: Shutdown,
}

impl Clock {
    fn new(pause: Duration, shutdown: Shutdown) -> Self {
        let mut ticks = tokio::time::interval(pause);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        Self { ticks, shutdown }
    }

    /// Waits for the next round; false at shutdown.
    async fn strikes(&mut self) -> bool {
        tokio::select! {
            () = self.shutdown.cancelled() => false,
            _ = self.ticks.tick() => true,
        }
    }
}

fn told(failed: &'static str, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(error = %error, "{failed}");
    }
}

/// Whom each kind of difference is about: payments and charges.
type Found = BTreeMap<DiscrepancyKind, HashSet<(Option<Uuid>, Option<String>)>>;

/// Who has not the turn reports nothing: the one who has reports for all.
async fn compare(core: &Payments, config: ReconcileConfig) -> Result<(), Error> {
    let Some(_turn) = core.accounts.take_turn().await? else {
        report(&Found::new());
        return Ok(());
    };
    let end = types::now();
    let window = Window::new(end - config.window(), end)?;
    // No hurry: nobody waits for it.
    let (mut rest, mut found, mut compared) = (Some(window.start), Found::new(), 0);
    while let Some(start) = rest {
        let part = Window { start, ..window };
        let (findings, next) = core.reconcile(part, config.grace(), Duration::MAX).await?;
        for discrepancy in findings.discrepancies {
            let Discrepancy { kind, payment, charge_id, .. } = &discrepancy;
            let about = (payment.map(|p| p.payment_id), charge_id.clone());
            if found.entry(*kind).or_default().insert(about) {
                log(&discrepancy);
            }
        }
        (rest, compared) = (next, compared + findings.compared);
    }
    report(&found);
    let now = types::now().unix_timestamp() as f64;
    metrics::gauge!("payments_reconciled_timestamp_seconds").set(now);
    tracing::info!(
        compared,
        differ = found.values().map(HashSet::len).sum::<usize>(),
        "reconciled"
    );
    Ok(())
}

fn report(found: &Found) {
    for kind in DiscrepancyKind::ALL {
        let count = found.get(&kind).map(HashSet::len).unwrap_or_default();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        metrics::gauge!("payments_discrepancies", "kind" => kind.name()).set(count);
    }
}

fn log(discrepancy: &Discrepancy) {
    let Discrepancy { kind, payment, charge_id, recorded, provided } = discrepancy;
    tracing::error!(
        discrepancy.kind = kind.name(),
        payment.id = payment.map(|p| p.payment_id.to_string()),
        order.id = payment.map(|p| p.order_id.to_string()),
        charge.id = charge_id,
        recorded,
        provided,
        "our books and the provider's differ"
    );
}

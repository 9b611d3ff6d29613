//! Gives back the stock of reservations whose time ran out, and forgets old ones.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Error;
use super::ports::Reservations;
use crate::domain::Retention;

/// Reservations that one transaction expires; keeps its locks short.
const BATCH: usize = 100;
/// Reservations that one transaction forgets; nobody waits for them.
const PURGE_BATCH: usize = 1_000;
const PURGE_EVERY: Duration = Duration::from_secs(3600);

/// Sweeps at an interval. Any number of replicas may do so at once.
pub struct Sweeper {
    reservations: Arc<dyn Reservations>,
    interval: Duration,
    retention: Retention,
}

impl Sweeper {
    pub fn new(
        reservations: Arc<dyn Reservations>,
        interval: Duration,
        retention: Retention,
    ) -> Self {
        Self { reservations, interval, retention }
    }

    /// Sweeps until dropped. A failure is logged, and the next sweep makes up for
    /// it.
    pub async fn run(self) {
        tokio::join!(self.keep_sweeping(), self.keep_purging());
    }

    async fn keep_sweeping(&self) {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.sweep().await {
                Ok(0) => {}
                Ok(expired) => tracing::info!(reservations = expired, "reservations expired"),
                Err(error) => tracing::warn!(error = %error, "expired stock is not given back yet"),
            }
        }
    }

    async fn keep_purging(&self) {
        let mut ticks = tokio::time::interval(PURGE_EVERY);
        loop {
            ticks.tick().await;
            if let Err(error) = self.purge().await {
                tracing::warn!(error = %error, "old reservations are not deleted yet");
            }
        }
    }

    async fn purge(&self) -> Result<(), Error> {
        let horizon = self.retention.horizon(types::now());
        while self.reservations.purge(horizon, PURGE_BATCH).await? == PURGE_BATCH {}
        Ok(())
    }

    async fn sweep(&self) -> Result<usize, Error> {
        let now = types::now();
        let mut expired = 0;
        loop {
            let batch = self.reservations.expire(now, BATCH).await?;
            expired += batch;
            metrics::counter!("inventory_reservations_expired_total").increment(batch as u64);
            if batch < BATCH {
                return Ok(expired);
            }
        }
    }
}

//! Gives back the stock of reservations whose time ran out.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Error;
use super::ports::Reservations;

/// Reservations that one transaction expires; keeps its locks short.
const BATCH: usize = 100;

/// Sweeps at an interval. Any number of replicas may do so at once.
pub struct Sweeper {
    reservations: Arc<dyn Reservations>,
    interval: Duration,
}

impl Sweeper {
    pub fn new(reservations: Arc<dyn Reservations>, interval: Duration) -> Self {
        Self { reservations, interval }
    }

    /// Sweeps until dropped. A failure is logged, and the next sweep makes up for
    /// it.
    pub async fn run(self) {
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

//! Forgets what nobody needs any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::ports::Archive;

/// How long things are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Sagas that ended with nothing taken.
    pub undone_sagas: Duration,
    /// Sagas that ended with the order sold. The order stays, and can be cancelled
    /// without its saga.
    pub sold_sagas: Duration,
    /// Idempotency keys.
    pub keys: Duration,
}

/// Forgets from time to time. It runs in every replica; what one has deleted is
/// nothing to the others.
pub struct Purge {
    pub(crate) archive: Arc<dyn Archive>,
    pub(crate) retention: Retention,
}

/// How often to look for what is old.
const EVERY: Duration = Duration::from_secs(600);

impl Purge {
    /// Runs until shutdown.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut rounds = tokio::time::interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = rounds.tick() => {}
            }
            tokio::select! {
                // Between two batches nothing is half done.
                () = shutdown.cancelled() => return Ok(()),
                () = self.round() => {}
            }
        }
    }

    async fn round(&self) {
        match self.archive.forget(self.retention).await {
            Ok((0, 0)) => {}
            Ok((sagas, keys)) => tracing::info!(sagas, keys, "old sagas and keys are forgotten"),
            Err(error) => tracing::warn!(error = %error, "old sagas and keys could not be removed"),
        }
        if let Err(error) = self.archive.forget_erased().await {
            tracing::warn!(error = %error, "old tombstones could not be removed");
        }
    }
}

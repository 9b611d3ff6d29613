//! What is done by the clock: keys replaced, accounts erased, old things forgotten.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use runtime::Shutdown;
use tokio::time::{MissedTickBehavior, interval};

use crate::core::ports::{Grants, Ports};
use crate::core::{Erasure, Error, Security};
use crate::domain::guesses;

/// Expired tokens are remembered for so long, so that clocks that differ do no harm.
const FORGET_AFTER: time::Duration = time::Duration::days(1);
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);
const ERASE_EVERY: Duration = Duration::from_secs(1);

/// The tasks.
pub(super) struct Upkeep {
    pub(super) ports: Arc<Ports>,
    pub(super) grants: Arc<dyn Grants>,
    pub(super) security: Arc<Security>,
    pub(super) erasure: Arc<Erasure>,
    pub(super) key_poll: Duration,
    pub(super) remember_erasures: time::Duration,
}

impl Upkeep {
    /// Runs until shutdown. No failure ends it: what is due stays due.
    pub(super) async fn run(self, shutdown: Shutdown) -> Result<()> {
        let mut keys = ticks(self.key_poll);
        let mut erasures = ticks(ERASE_EVERY);
        let mut forgetting = ticks(FORGET_EVERY);
        loop {
            let (what, outcome) = tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                _ = keys.tick() => ("signing keys", self.security.keep_keys().await),
                _ = erasures.tick() => ("erasures", self.erase().await),
                _ = forgetting.tick() => ("what has expired", self.forget().await),
            };
            if let Err(error) = outcome {
                tracing::warn!(error = %error, what, "upkeep goes on later");
            }
        }
    }

    async fn erase(&self) -> Result<(), Error> {
        self.erasure.round(types::now()).await.map(drop)
    }

    async fn forget(&self) -> Result<(), Error> {
        let now = types::now();
        let count = self.ports.tokens.forget_expired(now - FORGET_AFTER).await?;
        tracing::debug!(count, "forgot expired refresh tokens");
        self.ports.mails.forget(now - FORGET_AFTER).await?;
        self.grants.forget(now - FORGET_AFTER).await?;
        self.ports.revocations.forget(now - FORGET_AFTER).await?;
        self.ports.erasures.forget(now - self.remember_erasures).await?;
        self.ports.guesses.forget(now - guesses::MEMORY).await
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

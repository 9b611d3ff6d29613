//! Removes what is old, from time to time. It runs in every replica; what one has
//! removed is nothing to the others.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use runtime::Shutdown;
use tokio::time::{MissedTickBehavior, interval};

use crate::core::Registry;

const EVERY: Duration = Duration::from_secs(3_600);

/// Removes until shutdown. A failed round is told and made up for by the next.
pub(super) async fn run(registry: Arc<Registry>, shutdown: Shutdown) -> Result<()> {
    let mut rounds = interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while shutdown.run_until_cancelled(rounds.tick()).await.is_some() {
        // Each statement is a whole: nothing is lost when the next is not begun.
        let round = shutdown.run_until_cancelled(registry.forget_old()).await;
        if let Some(Err(error)) = round {
            tracing::warn!(error = %error, "what is old could not be removed");
        }
    }
    Ok(())
}

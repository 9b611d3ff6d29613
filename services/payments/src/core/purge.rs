//! Removes what is no longer needed: never an entry of the ledger, never what is not
//! handled.

use std::time::Duration;

use super::{Error, Payments};

/// Rows removed by one statement: short enough that nobody waits for it.
const BATCH: i64 = 1_000;
/// Statements of one round; the next round goes on.
const ROUNDS: usize = 20;

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Webhooks, after they were handled.
    pub webhooks: Duration,
    /// Idempotency keys of refunds, after these were settled.
    pub keys: Duration,
}

impl Payments {
    /// Removes what is older than it must be, in batches.
    pub async fn purge(&self, keep: Retention) -> Result<(), Error> {
        for _ in 0..ROUNDS {
            let webhooks = self.webhooks.purge(keep.webhooks, BATCH).await?;
            let keys = self.refunds.forget_keys(keep.keys, BATCH).await?;
            count("webhook", webhooks);
            count("idempotency_key", keys);
            if webhooks + keys == 0 {
                break;
            }
        }
        count("tombstone", self.people.forget_erased().await?);
        Ok(())
    }
}

fn count(what: &'static str, removed: u64) {
    metrics::counter!("payments_purged_total", "what" => what).increment(removed);
}

//! One try at applying a fact.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use anyhow::{Error, anyhow};
use futures::FutureExt;
use postgres::is_outage;
use sqlx::{PgConnection, PgPool};
use tokio::time::timeout;

use super::subscription::{Erased, Refusal};
use crate::cloudevent::Meta;
use crate::inbox;

/// Longer than any handler should take.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);

/// How a try ended.
pub(super) enum Attempt {
    /// The effect and the memory of it are committed.
    Applied,
    /// The effect was there already.
    Duplicate,
    /// The handler failed; nothing is left of it.
    Failed(Error),
    /// The database is not there, which is not the fact's fault.
    Outage(Error),
    /// No try will ever succeed.
    Hopeless(Error),
}

/// Applies a fact in one transaction with its inbox entry.
pub(super) async fn apply(
    pool: &PgPool,
    consumer: &str,
    handler: &dyn Erased,
    payload: &[u8],
    meta: &Meta,
) -> Attempt {
    let mut tx = match postgres::begin(pool).await {
        Ok(tx) => tx,
        Err(error) => return Attempt::Outage(error.into()),
    };
    match inbox::enter(&mut tx, consumer, meta.event_id).await {
        Ok(true) => {}
        Ok(false) => return Attempt::Duplicate,
        Err(error) => return judge(error.into()),
    }
    match guarded(handler, &mut tx, payload, meta).await {
        Err(Refusal::Undecodable(error)) => {
            return Attempt::Hopeless(Error::new(error).context("the payload is undecodable"));
        }
        Err(Refusal::Failed(error)) => return judge(error),
        Ok(()) => {}
    }
    match tx.commit().await {
        Ok(()) => Attempt::Applied,
        Err(error) => judge(error.into()),
    }
}

/// A handler that hangs or panics has failed, and takes nothing else with it.
async fn guarded(
    handler: &dyn Erased,
    tx: &mut PgConnection,
    payload: &[u8],
    meta: &Meta,
) -> Result<(), Refusal> {
    let handled = AssertUnwindSafe(handler.handle(tx, payload, meta)).catch_unwind();
    match timeout(HANDLER_TIMEOUT, handled).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Refusal::Failed(anyhow!("the handler panicked"))),
        Err(_) => Err(Refusal::Failed(anyhow!("no end within {HANDLER_TIMEOUT:?}"))),
    }
}

fn judge(error: Error) -> Attempt {
    let lost = error.chain().filter_map(|cause| cause.downcast_ref()).any(is_outage);
    if lost { Attempt::Outage(error) } else { Attempt::Failed(error) }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn a_lost_database_is_told_from_a_failing_handler_through_its_context() {
        let lost: anyhow::Result<()> = Err(sqlx::Error::PoolTimedOut).context("saving the mail");
        assert!(matches!(judge(lost.expect_err("failed")), Attempt::Outage(_)));
        assert!(matches!(judge(sqlx::Error::RowNotFound.into()), Attempt::Failed(_)));
        assert!(matches!(judge(anyhow!("no template")), Attempt::Failed(_)));
    }
}

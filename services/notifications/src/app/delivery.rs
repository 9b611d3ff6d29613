//! Drives deliveries: at every commit that may have made an e-mail due, and by the
//! clock for those that are tried again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use runtime::Shutdown;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::core::{Postman, Round};
use crate::domain::delivery::pause;
use crate::infrastructure::postgres::follow_wakeups;

/// How often the clock is looked at: as often as the shortest pause ends.
const POLL: Duration = Duration::from_secs(1);

/// The longest pause while the mail server or the database is away.
const LONGEST_OUTAGE_PAUSE: Duration = Duration::from_secs(30);

/// How often the backlog is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(10);

/// Delivers until shutdown. No failure ends it: what is due stays due.
pub(super) async fn run(postman: Arc<Postman>, pool: PgPool, shutdown: Shutdown) -> Result<()> {
    let wake = Arc::new(Notify::new());
    let alongside = async {
        tokio::join!(follow_wakeups(pool, wake.clone()), measure(&postman));
    };
    tokio::join!(deliver(&postman, &wake, &shutdown), shutdown.run_until_cancelled(alongside));
    Ok(())
}

/// Rounds are never cut short: an e-mail that is being handed over when shutdown
/// comes is marked, and so not repeated.
async fn deliver(postman: &Postman, wake: &Notify, shutdown: &Shutdown) {
    let mut failures = 0;
    while !shutdown.is_cancelled() {
        let ended = postman.round().await;
        let waiting = async {
            match ended {
                Ok(Round::More) => failures = 0,
                Ok(Round::Done) => {
                    failures = 0;
                    // Whichever comes first; a wake-up during the round counts.
                    let _ = tokio::time::timeout(POLL, wake.notified()).await;
                }
                Ok(Round::NoServer) => {
                    failures += 1;
                    tracing::warn!(failures, "the mail server does not work; e-mails wait");
                    sleep(outage_pause(failures)).await;
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(error = %error, "e-mails cannot be taken; trying again");
                    sleep(outage_pause(failures)).await;
                }
            }
        };
        shutdown.run_until_cancelled(waiting).await;
    }
}

fn outage_pause(failures: i32) -> Duration {
    pause(failures).try_into().unwrap_or(LONGEST_OUTAGE_PAUSE).min(LONGEST_OUTAGE_PAUSE)
}

/// Every replica shows the same number: dashboards take the maximum.
async fn measure(postman: &Postman) {
    loop {
        match postman.pending().await {
            // Exact far beyond any backlog.
            Ok(count) => metrics::gauge!("notifications_deliveries_pending").set(count as f64),
            Err(error) => tracing::debug!(error = %error, "the backlog is not measured"),
        }
        sleep(MEASURE_EVERY).await;
    }
}

//! How far behind the relay is, and sweeping up after it. Runs without the broker.

use std::time::Duration;

use metrics::gauge;
use sqlx::PgPool;
use tokio::time::{MissedTickBehavior, interval};

use crate::outbox;

const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// In measurements: every ten minutes.
const PURGE_EVERY: u64 = 120;

/// Measures and sweeps for ever. Every replica measures the same outbox: take the
/// maximum over them.
pub(super) async fn run(pool: &PgPool) {
    let mut ticks = interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in 0_u64.. {
        ticks.tick().await;
        // Without a database the gauges stay as they are; its absence is reported
        // elsewhere.
        if let Ok((unsent, age)) = outbox::backlog(pool).await {
            gauge!("outbox_unsent").set(unsent as f64);
            gauge!("outbox_oldest_age_seconds").set(age);
        }
        if tick % PURGE_EVERY == 0
            && let Err(error) = outbox::purge(pool).await
        {
            tracing::warn!(error = %error, "old facts are not deleted");
        }
    }
}

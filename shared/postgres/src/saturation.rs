//! How full the pool is.

use std::time::Duration;

use metrics::gauge;
use sqlx::PgPool;

const EVERY: Duration = Duration::from_secs(5);

/// Measures until the pool is closed, by OpenTelemetry's names
/// (https://opentelemetry.io/docs/specs/semconv/database/database-metrics/).
pub(crate) fn watch(pool: &PgPool, name: &str) {
    let (pool, name) = (pool.clone(), name.to_owned());
    tokio::spawn(async move {
        let mut closing = pool.close_event();
        let watching = async {
            let mut ticks = tokio::time::interval(EVERY);
            loop {
                ticks.tick().await;
                measure(&pool, &name);
            }
        };
        // Closed: nothing is left to measure.
        let _: Result<(), _> = closing.do_until(watching).await;
    });
}

fn measure(pool: &PgPool, name: &str) {
    let (open, idle) = (pool.size() as usize, pool.num_idle());
    for (state, count) in [("idle", idle), ("used", open.saturating_sub(idle))] {
        let labels = [
            ("db_client_connection_pool_name", name.to_owned()),
            ("db_client_connection_state", state.to_owned()),
        ];
        gauge!("db_client_connection_count", &labels).set(count as f64);
    }
    let labels = [("db_client_connection_pool_name", name.to_owned())];
    gauge!("db_client_connection_max", &labels).set(pool.options().get_max_connections() as f64);
}

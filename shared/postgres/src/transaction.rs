//! Transactions that whoever asks for one may stop waiting for.

use sqlx::{PgPool, Postgres, Transaction};
use tracing::Instrument;

/// Begins a transaction.
///
/// A request whose time is up is dropped wherever it stands. When that was between
/// `BEGIN` and its answer, sqlx 0.9 put the connection back into the pool with a
/// transaction that it did not know of: statements that came later on this connection,
/// one at a time, were answered, seen by nobody and lost with the connection. So the
/// beginning is a task of its own, which ends whoever waits for it; a transaction that
/// nobody takes is rolled back.
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    #[allow(clippy::disallowed_methods)]
    let beginning = async move { pool.begin().await };
    match tokio::spawn(beginning.in_current_span()).await {
        Ok(begun) => begun,
        Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
        // The runtime is shutting down.
        Err(_) => Err(sqlx::Error::PoolClosed),
    }
}

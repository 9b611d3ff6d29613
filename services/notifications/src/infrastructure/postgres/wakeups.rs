//! Tells workers of every replica, at the moment of the commit, that an e-mail
//! may be due.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{PgConnection, PgPool};
use tokio::sync::Notify;

/// The channel of LISTEN and NOTIFY.
const CHANNEL: &str = "deliveries_due";

const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Wakes the workers when the transaction commits.
pub(super) async fn announce(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_notify($1, '')").bind(CHANNEL).execute(connection).await?;
    Ok(())
}

/// Passes announcements on for as long as it is polled. It never fails: without
/// announcements the workers still look at the clock.
pub async fn follow_wakeups(pool: PgPool, wake: Arc<Notify>) -> Infallible {
    loop {
        let Err(error) = listen(&pool, &wake).await;
        tracing::debug!(error = %error, "announcements are not heard for now");
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

async fn listen(pool: &PgPool, wake: &Notify) -> Result<Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // What came before or between connections was not heard.
        wake.notify_one();
        listener.recv().await?;
    }
}

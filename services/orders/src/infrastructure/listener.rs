//! Hears of changes of orders in every process, by PostgreSQL's notifications.

use std::sync::Arc;
use std::time::Duration;

use runtime::Shutdown;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::core::changes::Changes;

/// The pause before another connection is tried.
const PAUSE: Duration = Duration::from_millis(500);

/// Tells this process's waiters of changes until shutdown. What was missed while
/// there was no connection is made up for by waking everybody.
pub async fn listen(pool: PgPool, changes: Arc<Changes>, shutdown: Shutdown) -> anyhow::Result<()> {
    let listening = async {
        loop {
            if let Err(error) = hear(&pool, &changes).await {
                tracing::warn!(error = %error, "changes of orders are not heard; trying again");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        () = listening => Ok(()),
    }
}

async fn hear(pool: &PgPool, changes: &Changes) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen("order_changed").await?;
    changes.tell_all();
    loop {
        match listener.try_recv().await? {
            Some(heard) => match Uuid::try_parse(heard.payload()) {
                Ok(order) => changes.tell(order),
                Err(_) => changes.tell_all(),
            },
            // The connection was lost and is there again.
            None => changes.tell_all(),
        }
    }
}

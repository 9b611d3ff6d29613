//! One relay at work for each database.

use std::time::Duration;

use anyhow::{Context, Result};
use sqlx::postgres::{PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::connection::Broker;
use crate::outbox::{ASLEEP, WAKE};

/// The advisory lock of the outbox; other users of advisory locks in the same
/// database must choose other numbers than this and [`ASLEEP`]. It reads "stoaoutb".
const LOCK: i64 = 0x7374_6f61_6f75_7462;

/// How often a waiting relay tries to take over, and how often a working one looks
/// into the outbox without having been woken.
const POLL: Duration = Duration::from_secs(1);

/// How often a relay looks that may not sleep because somebody publishes.
const NAP: Duration = Duration::from_millis(10);

const DATABASE_TIMEOUT: Duration = Duration::from_secs(10);

/// The right to publish what is in the outbox: a connection of its own that holds
/// the lock. The outbox is read and written on that same connection, so a relay
/// that lost the lock cannot go on.
pub(super) struct Lead {
    conn: PgConnection,
    wake: PgListener,
    asleep: bool,
}

impl Lead {
    /// Waits for the lock; `None` means shutdown.
    pub(super) async fn take(
        pool: &PgPool,
        broker: &Broker,
        shutdown: &CancellationToken,
    ) -> Result<Option<Self>> {
        let options = pool.connect_options();
        let connecting = PgConnection::connect_with(&options);
        let mut conn = timeout(DATABASE_TIMEOUT, connecting)
            .await
            .context("no answer")
            .and_then(|c| Ok(c?))
            .context("no database for the relay")?;
        // Asking again and again instead of waiting in the database: a waiting
        // statement holds back vacuum.
        while !try_lock(&mut conn, LOCK).await? {
            broker.ensure_up()?;
            if shutdown.run_until_cancelled(sleep(POLL)).await.is_none() {
                return Ok(None);
            }
        }
        let own = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(DATABASE_TIMEOUT)
            .max_lifetime(None)
            .idle_timeout(None)
            .connect_lazy_with((*options).clone());
        let mut wake = PgListener::connect_with(&own).await.context("cannot listen")?;
        wake.listen(WAKE).await.context("cannot listen")?;
        Ok(Some(Self { conn, wake, asleep: false }))
    }

    /// The connection that holds the lock.
    pub(super) fn conn(&mut self) -> &mut PgConnection {
        &mut self.conn
    }

    /// Having found nothing, waits until there may be something, or for shutdown.
    ///
    /// It falls asleep when nobody is about to commit who saw it awake. What such
    /// people committed since it looked shows when it looks again, so at first it
    /// returns at once.
    pub(super) async fn rest(&mut self, shutdown: &CancellationToken) -> Result<()> {
        if !self.asleep {
            self.asleep = try_lock(&mut self.conn, ASLEEP).await?;
            if !self.asleep {
                shutdown.run_until_cancelled(sleep(NAP)).await;
            }
            return Ok(());
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            // A lost connection shows at the next query on the other one.
            _ = self.wake.recv() => while self.wake.next_buffered().is_some() {},
            () = sleep(POLL) => {}
        }
        Ok(())
    }

    /// Having found something, needs no more waking.
    pub(super) async fn rouse(&mut self) -> Result<()> {
        if std::mem::take(&mut self.asleep) {
            sqlx::query("select pg_advisory_unlock($1)")
                .bind(ASLEEP)
                .execute(&mut self.conn)
                .await
                .context("cannot wake up")?;
        }
        Ok(())
    }
}

async fn try_lock(conn: &mut PgConnection, lock: i64) -> Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(lock)
        .fetch_one(conn)
        .await
        .context("cannot ask for a lock of the relay")
}

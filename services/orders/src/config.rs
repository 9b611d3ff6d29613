//! Settings of the orders service, read from the environment.

use std::time::Duration;

use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;

#[cfg(feature = "sabotage")]
use crate::core::drill::Sabotage;
use crate::core::drill::{CrashPoint, Drill};
use crate::core::purge::Retention;

/// Takes orders and carries them through checkout.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub host: HostConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub broker: BrokerConfig,
    #[command(flatten)]
    pub saga: SagaConfig,
    /// Where the identity service is.
    #[arg(long, env = "IDENTITY_URL")]
    pub identity_url: String,
    /// Where the cart service is.
    #[arg(long, env = "CART_URL")]
    pub cart_url: String,
    /// Where the catalogue service is.
    #[arg(long, env = "CATALOG_URL")]
    pub catalog_url: String,
    /// Where the inventory service is.
    #[arg(long, env = "INVENTORY_URL")]
    pub inventory_url: String,
    /// Where the payments service is.
    #[arg(long, env = "PAYMENTS_URL")]
    pub payments_url: String,
}

/// How sagas run.
#[derive(clap::Args, Clone, Debug)]
pub struct SagaConfig {
    /// How long a checkout may take until it is confirmed or given up, in
    /// milliseconds. A saga that runs longer is overdue.
    #[arg(long, env = "SAGA_DEADLINE_MS", default_value_t = 60_000)]
    pub saga_deadline_ms: u64,
    /// How long a saga stays with a process that does not move it on, in
    /// milliseconds: so long a crash goes unnoticed.
    #[arg(long, env = "SAGA_LEASE_MS", default_value_t = 15_000)]
    pub saga_lease_ms: u64,
    /// How often sagas that were left behind are looked for, in milliseconds.
    #[arg(long, env = "SAGA_POLL_MS", default_value_t = 250)]
    pub saga_poll_ms: u64,
    /// The most sagas resumed at once.
    #[arg(long, env = "SAGA_CONCURRENCY", default_value_t = 16)]
    pub saga_concurrency: usize,
    /// How long stock is set aside for a checkout, in seconds.
    #[arg(long, env = "RESERVATION_TTL_SECONDS", default_value_t = 900)]
    pub reservation_ttl_seconds: u64,
    /// How long sagas that ended with nothing taken are kept, in hours.
    #[arg(long, env = "SAGA_RETENTION_HOURS", default_value_t = 720)]
    pub saga_retention_hours: u64,
    /// How long sagas of orders that were sold are kept, in days, from their last step
    /// on: so long operators can see how a checkout went. Such an order can be
    /// cancelled after that, too.
    #[arg(long, env = "SOLD_SAGA_RETENTION_DAYS", default_value_t = 90)]
    pub sold_saga_retention_days: u64,
    /// How long the keys of requests are kept, in hours, at least 24: so long a
    /// request that is sent again answers the order that it has placed, and places
    /// no other. Clients, queues and people repeat what they got no answer to
    /// within a day; payment providers keep keys as long.
    #[arg(long, env = "IDEMPOTENCY_KEY_RETENTION_HOURS", default_value_t = 72)]
    pub idempotency_key_retention_hours: u64,
    /// For drills: abort the process at this point of a saga: `before:<action>`
    /// (not tried yet) or `after:<action>` (tried, outcome not written down), where
    /// the action is reserve, pay, confirm, settle, undo-pay or undo-reserve.
    #[arg(long, env = "CRASH_AT")]
    pub crash_at: Option<CrashPoint>,
    /// This build is broken on purpose and starts only when told what to break:
    /// `skip-undo`.
    #[cfg(feature = "sabotage")]
    #[arg(long, env = "SABOTAGE")]
    pub sabotage: Sabotage,
}

impl SagaConfig {
    /// How long a checkout may take until it is confirmed or given up.
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.saga_deadline_ms)
    }

    /// What is broken on purpose: nothing, in a build that is not made for it.
    pub fn drill(&self) -> Drill {
        let drill = Drill::new(self.crash_at);
        #[cfg(feature = "sabotage")]
        let drill = drill.sabotaged(self.sabotage);
        drill
    }

    /// How long a lease lasts.
    pub fn lease(&self) -> Duration {
        Duration::from_millis(self.saga_lease_ms)
    }

    /// The longest one action may take: what came of it is to be written down
    /// while the lease still holds.
    pub fn action_timeout(&self) -> Duration {
        self.lease().mul_f64(0.6)
    }

    /// How long stock is set aside.
    pub fn reservation_ttl(&self) -> Duration {
        Duration::from_secs(self.reservation_ttl_seconds)
    }

    /// How long things are kept.
    pub fn retention(&self) -> Retention {
        let hours = |hours: u64| Duration::from_secs(hours.saturating_mul(3_600));
        Retention {
            undone_sagas: hours(self.saga_retention_hours),
            sold_sagas: hours(self.sold_saga_retention_days.saturating_mul(24)),
            keys: hours(self.idempotency_key_retention_hours),
        }
    }

    /// Refuses settings under which stock could come free before its checkout ends.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.saga_lease_ms > 0, "SAGA_LEASE_MS must not be 0");
        anyhow::ensure!(self.saga_poll_ms > 0, "SAGA_POLL_MS must not be 0");
        anyhow::ensure!(self.saga_concurrency > 0, "SAGA_CONCURRENCY must not be 0");
        anyhow::ensure!(
            self.idempotency_key_retention_hours >= 24,
            "IDEMPOTENCY_KEY_RETENTION_HOURS must be at least 24"
        );
        anyhow::ensure!(
            self.reservation_ttl() > self.deadline() + self.lease() * 2,
            "RESERVATION_TTL_SECONDS must be longer than SAGA_DEADLINE_MS and two SAGA_LEASE_MS"
        );
        Ok(())
    }
}

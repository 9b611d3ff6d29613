//! Settings, read once at start.

use std::time::Duration;

use clap::Parser;
use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;

use crate::domain::Retention;

/// Stock, and the pieces of it that are set aside for orders.
#[derive(Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub host: HostConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub broker: BrokerConfig,
    /// Where identity publishes the keys that access tokens are checked with.
    #[arg(long, env = "IDENTITY_URL")]
    pub identity_url: String,
    /// How often expired reservations are given back, in seconds.
    #[arg(long, env = "SWEEP_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub sweep_seconds: u64,
    /// Closed reservations are deleted after so many days. Releasing a sale later than
    /// that puts nothing back.
    #[arg(long, env = "RESERVATION_RETENTION_DAYS", default_value_t = 180, value_parser = clap::value_parser!(u32).range(30..))]
    pub reservation_retention_days: u32,
    /// Stock that falls to this many pieces or fewer is reported as low.
    #[arg(long, env = "LOW_STOCK_THRESHOLD", default_value_t = 5)]
    pub low_stock_threshold: i64,
}

impl Config {
    /// How long closed reservations are kept.
    pub fn retention(&self) -> Retention {
        Retention(time::Duration::days(self.reservation_retention_days.into()))
    }

    /// How often expired reservations are given back.
    pub fn sweep_interval(&self) -> Duration {
        Duration::from_secs(self.sweep_seconds.max(1))
    }
}

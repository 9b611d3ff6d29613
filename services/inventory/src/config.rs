//! Settings, read once at start.

use std::time::Duration;

use clap::Parser;
use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;

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
    /// Stock that falls to this many pieces or fewer is reported as low.
    #[arg(long, env = "LOW_STOCK_THRESHOLD", default_value_t = 5)]
    pub low_stock_threshold: i64,
}

impl Config {
    /// How often expired reservations are given back.
    pub fn sweep_interval(&self) -> Duration {
        Duration::from_secs(self.sweep_seconds.max(1))
    }
}

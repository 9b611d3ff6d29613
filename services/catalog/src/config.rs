//! Settings, read once at start.

use clap::Parser;
use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;
use types::Currency;

/// Products, categories and prices.
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
    /// The one currency that the shop trades in (ISO 4217).
    #[arg(long, env = "SHOP_CURRENCY", default_value = "EUR")]
    pub shop_currency: Currency,
}

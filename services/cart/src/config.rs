//! Settings, read from the environment.

use std::path::PathBuf;

use grpc::HostConfig;
use secrecy::SecretString;

/// Settings of the cart service.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub host: HostConfig,
    /// Where the signing keys of access tokens come from.
    #[arg(long, env = "IDENTITY_URL")]
    pub identity_url: String,
    /// Where names and prices come from.
    #[arg(long, env = "CATALOG_URL")]
    pub catalog_url: String,
    /// The Redis server that holds the carts; `rediss://` is TLS.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: SecretString,
    /// PEM file of who may vouch for it, beside the authorities of the system.
    #[arg(long, env = "REDIS_CA")]
    pub redis_ca: Option<PathBuf>,
}

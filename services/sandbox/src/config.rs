//! Settings, read from the environment.

use std::net::SocketAddr;
use std::time::Duration;

use postgres::DatabaseConfig;
use runtime::RuntimeConfig;
use secrecy::SecretString;
use telemetry::TelemetryConfig;

/// The sandbox payment provider.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub runtime: RuntimeConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub webhooks: WebhookConfig,
    #[command(flatten)]
    pub retention: RetentionConfig,
    /// Where the API is served, in plain HTTP.
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:8090")]
    pub http_addr: SocketAddr,
    /// What clients must send as `Authorization: Bearer <key>`.
    #[arg(long, env = "API_KEY", hide_env_values = true)]
    pub api_key: SecretString,
    /// How long the answer to `tok_timeout` is held, in milliseconds.
    #[arg(long, env = "TIMEOUT_MILLIS", default_value_t = 30_000)]
    pub timeout_millis: u64,
    /// How long the answer to `tok_slow` is held, in milliseconds.
    #[arg(long, env = "SLOW_MILLIS", default_value_t = 2_000)]
    pub slow_millis: u64,
}

/// Webhook settings, misbehaviour included.
#[derive(clap::Args, Clone, Debug)]
pub struct WebhookConfig {
    /// Where webhooks are posted.
    #[arg(long, env = "WEBHOOK_URL")]
    pub webhook_url: String,
    /// The key of their signature.
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: SecretString,
    /// How long after the change a webhook is posted, in milliseconds.
    #[arg(long, env = "WEBHOOK_DELAY_MILLIS", default_value_t = 50)]
    pub webhook_delay_millis: u64,
    /// The most that is added to the delay at random, in milliseconds, so that
    /// webhooks arrive out of order.
    #[arg(long, env = "WEBHOOK_JITTER_MILLIS", default_value_t = 0)]
    pub webhook_jitter_millis: u64,
    /// How many more times every webhook is posted.
    #[arg(long, env = "WEBHOOK_DUPLICATES", default_value_t = 0)]
    pub webhook_duplicates: u32,
    /// The age at which a webhook that nobody accepts is given up, in seconds.
    #[arg(long, env = "WEBHOOK_MAX_AGE_SECONDS", default_value_t = 259_200)]
    pub webhook_max_age_seconds: u64,
}

/// How long things are kept that are no longer needed.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct RetentionConfig {
    /// Answers to idempotency keys, in hours: a request that is repeated later is a new
    /// one. Clients rely on a day.
    #[arg(long, env = "KEY_RETENTION_HOURS", default_value_t = 48,
        value_parser = clap::value_parser!(u32).range(24..))]
    pub key_retention_hours: u32,
    /// Webhooks that were delivered or given up, in hours.
    #[arg(long, env = "WEBHOOK_RETENTION_HOURS", default_value_t = 168)]
    pub webhook_retention_hours: u32,
    /// How often the rest is removed, in seconds.
    #[arg(long, env = "PURGE_EVERY_SECONDS", default_value_t = 3_600,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub purge_every_seconds: u64,
}

impl RetentionConfig {
    /// Of answers and of webhooks.
    pub(crate) fn kept_seconds(self) -> [f64; 2] {
        [self.key_retention_hours, self.webhook_retention_hours].map(|h| f64::from(h) * 3_600.0)
    }
}

impl WebhookConfig {
    /// When a webhook of now is due.
    pub(crate) fn delay(&self) -> Duration {
        let jitter = rand::random_range(0..=self.webhook_jitter_millis);
        Duration::from_millis(self.webhook_delay_millis + jitter)
    }
}

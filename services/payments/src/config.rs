//! Settings, read from the environment.

use std::time::Duration;

use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;
use secrecy::SecretString;

/// The payments service.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub host: HostConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub broker: BrokerConfig,
    /// Who takes the money.
    #[arg(long, env = "PAYMENT_PROVIDER", value_enum, default_value_t)]
    pub payment_provider: ProviderKind,
    #[command(flatten)]
    pub sandbox: SandboxConfig,
    #[command(flatten)]
    pub stripe: StripeConfig,
    #[command(flatten)]
    pub sweep: SweepConfig,
    /// The identity service, for the keys of access tokens.
    #[arg(long, env = "IDENTITY_URL")]
    pub identity_url: String,
}

/// Payment providers that there is an adapter for.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProviderKind {
    /// The platform's own, for tests and demonstrations: no money moves.
    #[default]
    Sandbox,
    Stripe,
}

/// The sandbox payment provider; needed where it is the provider.
#[derive(clap::Args, Clone, Debug)]
pub struct SandboxConfig {
    /// Its API, for example `http://127.0.0.1:8090`.
    #[arg(long, env = "SANDBOX_URL")]
    pub sandbox_url: Option<String>,
    /// The key that we show it.
    #[arg(long, env = "SANDBOX_API_KEY", hide_env_values = true)]
    pub sandbox_api_key: Option<SecretString>,
    /// The key of the signature on its webhooks.
    #[arg(long, env = "SANDBOX_WEBHOOK_SECRET", hide_env_values = true)]
    pub sandbox_webhook_secret: Option<SecretString>,
    /// How long one of its answers is waited for, in milliseconds. Shorter than the
    /// deadline of every method that waits.
    #[arg(long, env = "SANDBOX_TIMEOUT_MILLIS", default_value_t = 4_000)]
    pub sandbox_timeout_millis: u64,
}

/// Stripe; needed where it is the provider.
#[derive(clap::Args, Clone, Debug)]
pub struct StripeConfig {
    /// Its API.
    #[arg(long, env = "STRIPE_URL", default_value = "https://api.stripe.com")]
    pub stripe_url: String,
    /// The secret or restricted key that we show it.
    #[arg(long, env = "STRIPE_API_KEY", hide_env_values = true)]
    pub stripe_api_key: Option<SecretString>,
    /// The signing secret of the webhook endpoint.
    #[arg(long, env = "STRIPE_WEBHOOK_SECRET", hide_env_values = true)]
    pub stripe_webhook_secret: Option<SecretString>,
    /// How long one of its answers is waited for, in milliseconds. Shorter than the
    /// deadline of every method that waits.
    #[arg(long, env = "STRIPE_TIMEOUT_MILLIS", default_value_t = 6_000)]
    pub stripe_timeout_millis: u64,
}

/// How unknown outcomes are settled.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct SweepConfig {
    /// The age at which an unknown outcome is looked up at the provider, in
    /// milliseconds. Longer than an answer is waited for.
    #[arg(long, env = "SWEEP_AFTER_MILLIS", default_value_t = 30_000)]
    pub sweep_after_millis: u64,
    /// How often that is done, in milliseconds.
    #[arg(long, env = "SWEEP_EVERY_MILLIS", default_value_t = 5_000)]
    pub sweep_every_millis: u64,
}

impl SweepConfig {
    pub(crate) fn after(self) -> Duration {
        Duration::from_millis(self.sweep_after_millis)
    }

    pub(crate) fn every(self) -> Duration {
        Duration::from_millis(self.sweep_every_millis)
    }
}

//! Settings, read from the environment.

use std::time::Duration;

use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;
use secrecy::SecretString;

use crate::core::Retention;

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
    #[command(flatten)]
    pub reconcile: ReconcileConfig,
    #[command(flatten)]
    pub retention: RetentionConfig,
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
    #[arg(long, env = "STRIPE_TIMEOUT_MILLIS", default_value_t = 4_500)]
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

/// How our books are compared with the provider's.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct ReconcileConfig {
    /// How often that is done, in seconds.
    #[arg(long, env = "RECONCILE_EVERY_SECONDS", default_value_t = 3_600,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub reconcile_every_seconds: u64,
    /// How far back, in hours; longer than the pause, so that a missed round is made
    /// up for. At most 31 days.
    #[arg(long, env = "RECONCILE_WINDOW_HOURS", default_value_t = 25,
        value_parser = clap::value_parser!(u32).range(1..=744))]
    pub reconcile_window_hours: u32,
    /// What changed less than this ago may be under way and is no difference, in
    /// seconds.
    #[arg(long, env = "RECONCILE_GRACE_SECONDS", default_value_t = 300)]
    pub reconcile_grace_seconds: u32,
}

/// How long things are kept that are no longer needed.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct RetentionConfig {
    /// Handled webhooks, in days. Longer than a provider repeats them.
    #[arg(long, env = "WEBHOOK_RETENTION_DAYS", default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(4..))]
    pub webhook_retention_days: u32,
    /// Idempotency keys of settled refunds, in days. Longer than a client repeats a
    /// request.
    #[arg(long, env = "KEY_RETENTION_DAYS", default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub key_retention_days: u32,
    /// How often the rest is removed, in seconds.
    #[arg(long, env = "PURGE_EVERY_SECONDS", default_value_t = 3_600,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub purge_every_seconds: u64,
}

impl ReconcileConfig {
    pub(crate) fn every(self) -> Duration {
        Duration::from_secs(self.reconcile_every_seconds)
    }

    pub(crate) fn window(self) -> time::Duration {
        time::Duration::hours(i64::from(self.reconcile_window_hours))
    }

    pub(crate) fn grace(self) -> time::Duration {
        time::Duration::seconds(i64::from(self.reconcile_grace_seconds))
    }
}

impl RetentionConfig {
    pub(crate) fn every(self) -> Duration {
        Duration::from_secs(self.purge_every_seconds)
    }

    pub(crate) fn keep(self) -> Retention {
        let days = |days: u32| Duration::from_secs(u64::from(days) * 86_400);
        Retention {
            webhooks: days(self.webhook_retention_days),
            keys: days(self.key_retention_days),
        }
    }
}

//! Settings, read from the environment.

use std::path::PathBuf;
use std::time::Duration;

use runtime::RuntimeConfig;
use secrecy::SecretString;
use telemetry::TelemetryConfig;

use crate::journey::Depth;

/// Settings of the prober.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about)]
pub struct Config {
    #[command(flatten)]
    pub runtime: RuntimeConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    /// Make one journey and end: with 0 when it worked, else with 1.
    #[arg(long)]
    pub once: bool,
    /// Where customers reach the platform, without a slash at the end.
    #[arg(long, env = "EDGE_URL")]
    pub edge_url: String,
    /// Who signs the edge's certificate, as PEM, when the machine does not know.
    #[arg(long, env = "EDGE_CA")]
    pub edge_ca: Option<PathBuf>,
    /// Whose journey it is: an account with the role `synthetic`.
    #[arg(long, env = "PROBE_EMAIL")]
    pub probe_email: String,
    /// The account's password.
    #[arg(long, env = "PROBE_PASSWORD", hide_env_values = true)]
    pub probe_password: SecretString,
    /// What is paid with: a test token of the provider.
    #[arg(long, env = "PROBE_PAYMENT_TOKEN", default_value = "tok_visa", hide_env_values = true)]
    pub probe_payment_token: SecretString,
    /// How far a journey goes: `cart` stops before anything is ordered, for where the provider
    /// takes no test token.
    #[arg(long, env = "PROBE_DEPTH", value_enum, default_value_t)]
    pub probe_depth: Depth,
    /// What is searched for; the first product that is in stock is bought. Empty: any.
    #[arg(long, env = "PROBE_QUERY", default_value = "")]
    pub probe_query: String,
    /// How often a journey begins, in seconds.
    #[arg(long, env = "PROBE_EVERY_SECONDS", default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub probe_every_seconds: u64,
    /// The longest a step may take, in seconds: what a customer would wait for.
    #[arg(long, env = "PROBE_STEP_SECONDS", default_value_t = 15,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub probe_step_seconds: u64,
}

impl Config {
    /// How often a journey begins.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.probe_every_seconds)
    }

    /// The longest a step may take.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.probe_step_seconds)
    }
}

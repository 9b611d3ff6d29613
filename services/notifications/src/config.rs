//! Settings, from the environment or the command line.

use anyhow::{Result, ensure};
use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;

use crate::domain::{Patience, PublicUrl};
use crate::infrastructure::MailConfig;

/// Settings of the notifications service.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about = "Stoa's notifications service: what customers are told, and how.")]
pub struct Config {
    #[command(flatten)]
    pub host: HostConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub broker: BrokerConfig,
    #[command(flatten)]
    pub mail: MailConfig,
    /// Where the identity service is; it publishes the keys that access tokens are
    /// checked with, and makes the tokens in e-mails.
    #[arg(long, env = "IDENTITY_URL")]
    pub identity_url: String,
    /// Where people find the shop; links in e-mails lead to its pages `/verify-email`
    /// and `/reset-password`.
    #[arg(long, env = "PUBLIC_URL", default_value = "http://localhost:8080")]
    pub public_url: PublicUrl,
    /// An e-mail is given up after the mail server has refused it this often.
    #[arg(long, env = "MAIL_MAX_ATTEMPTS", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    pub mail_max_attempts: i32,
    /// How long a worker has an e-mail to itself, in seconds. More than twice
    /// MAIL_TIMEOUT_SECONDS, or another worker would hand it over as well.
    #[arg(long, env = "MAIL_LEASE_SECONDS", default_value_t = 60)]
    pub mail_lease_seconds: u32,
}

impl Config {
    /// How long deliveries are tried. Fails when the lease is too short.
    pub fn patience(&self) -> Result<Patience> {
        // A second for the token: the deadline of the method that makes it.
        let longest = self.mail.mail_timeout_seconds.saturating_mul(2).saturating_add(1);
        ensure!(
            self.mail_lease_seconds >= longest,
            "MAIL_LEASE_SECONDS must be more than twice MAIL_TIMEOUT_SECONDS"
        );
        let lease = time::Duration::seconds(self.mail_lease_seconds.into());
        Ok(Patience { max_attempts: self.mail_max_attempts, lease })
    }
}

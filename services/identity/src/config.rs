//! Settings, from the environment or the command line.

use anyhow::{Result, ensure};
use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;
use secrecy::{ExposeSecret, SecretString};
use time::Duration;

use crate::core::Lifetimes;
use crate::infrastructure::Argon2Config;

/// Settings of the identity service.
#[derive(clap::Parser, Clone, Debug)]
#[command(version, about = "Stoa's identity service: accounts, credentials, roles and tokens.")]
pub struct Config {
    #[command(flatten)]
    pub host: HostConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub broker: BrokerConfig,
    #[command(flatten)]
    pub argon2: Argon2Config,
    /// Life of an access token, in seconds.
    #[arg(long, env = "ACCESS_TOKEN_SECONDS", default_value_t = 900)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    pub access_token_seconds: i32,
    /// Life of a refresh token that is not used, in seconds.
    #[arg(long, env = "REFRESH_TOKEN_SECONDS", default_value_t = 30 * 24 * 60 * 60)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    pub refresh_token_seconds: i32,
    /// E-mail address of the first admin, whose account is made at start when
    /// there is no account with this address.
    #[arg(long, env = "ADMIN_EMAIL")]
    pub admin_email: Option<String>,
    /// The first admin's password; not looked at once the account exists.
    #[arg(long, env = "ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<SecretString>,
}

/// As for everybody who registers.
const SHORTEST_PASSWORD: usize = 10;

impl Config {
    /// How long tokens live.
    pub fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            access: Duration::seconds(self.access_token_seconds.into()),
            refresh: Duration::seconds(self.refresh_token_seconds.into()),
        }
    }

    /// The first admin's e-mail address and password, where they are set. An empty
    /// setting counts as none.
    pub fn admin(&self) -> Result<Option<(&str, SecretString)>> {
        let email = self.admin_email.as_deref().filter(|email| !email.is_empty());
        let password = self.admin_password.as_ref().filter(|p| !p.expose_secret().is_empty());
        match (email, password) {
            (None, None) => Ok(None),
            (Some(email), Some(password)) => {
                ensure!(email.contains('@'), "ADMIN_EMAIL is not an e-mail address");
                let long_enough = password.expose_secret().chars().count() >= SHORTEST_PASSWORD;
                ensure!(long_enough, "ADMIN_PASSWORD is shorter than {SHORTEST_PASSWORD}");
                Ok(Some((email, password.clone())))
            }
            _ => anyhow::bail!("ADMIN_EMAIL and ADMIN_PASSWORD go together: set both or none"),
        }
    }
}

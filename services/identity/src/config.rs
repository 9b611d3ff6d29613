//! Settings, from the environment or the command line.

use anyhow::{Result, ensure};
use events::BrokerConfig;
use grpc::HostConfig;
use postgres::DatabaseConfig;
use secrecy::{ExposeSecret, SecretString};
use time::Duration;

use crate::core::Lifetimes;
use crate::core::oauth::Provider;
use crate::core::proof::Limits;
use crate::domain::{KeyPlan, Limit};
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
    /// Where everybody reaches the platform, for example `https://shop.example.com`:
    /// the issuer of ID tokens (OpenID Connect).
    #[arg(long, env = "PUBLIC_URL", default_value = "http://localhost:8080")]
    pub public_url: String,
    #[command(flatten)]
    pub keys: KeyConfig,
    #[command(flatten)]
    pub guessing: GuessConfig,
    #[command(flatten)]
    pub erasure: ErasureConfig,
}

/// Keys: those that tokens are signed with, and those that seal what is secret.
#[derive(clap::Args, Clone, Debug)]
pub struct KeyConfig {
    /// What signing keys and second factors are sealed with, as `<id>:<secret>`, or
    /// several with commas between: the first seals, all open.
    #[arg(long, env = "SEALING_KEYS", hide_env_values = true)]
    pub sealing_keys: SecretString,
    /// Age at which a signing key is replaced, in seconds.
    #[arg(long, env = "KEY_ROTATION_SECONDS", default_value_t = 30 * 24 * 60 * 60)]
    #[arg(value_parser = clap::value_parser!(i32).range(1..))]
    pub key_rotation_seconds: i32,
    /// How long a signing key is published before it signs, in seconds: longer than
    /// anybody keeps the published keys without asking again.
    #[arg(long, env = "KEY_LEAD_SECONDS", default_value_t = 900)]
    #[arg(value_parser = clap::value_parser!(i32).range(0..))]
    pub key_lead_seconds: i32,
    /// How often the keys are looked at, in seconds.
    #[arg(long, env = "KEY_POLL_SECONDS", default_value_t = 30)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub key_poll_seconds: u64,
}

/// How often passwords and codes may be guessed.
#[derive(clap::Args, Clone, Debug)]
pub struct GuessConfig {
    /// Wrong guesses for one account after which there are pauses.
    #[arg(long, env = "GUESSES_PER_ACCOUNT", default_value_t = 10)]
    pub guesses_per_account: i32,
    /// Wrong guesses from one client address after which there are pauses.
    #[arg(long, env = "GUESSES_PER_ADDRESS", default_value_t = 100)]
    pub guesses_per_address: i32,
}

/// The end of accounts, and who else keeps something about people.
#[derive(clap::Args, Clone, Debug)]
pub struct ErasureConfig {
    /// How long after its closing an account's data is erased, in seconds: mails that
    /// are on their way need their address.
    #[arg(long, env = "ERASE_AFTER_SECONDS", default_value_t = 60)]
    pub erase_after_seconds: u32,
    /// How long it is remembered who was erased, in days: at least as long as any backup
    /// is kept, because whoever restores one erases them again.
    #[arg(long, env = "ERASURE_RECORD_DAYS", default_value_t = 400)]
    pub erasure_record_days: u32,
    /// Where the cart service is.
    #[arg(long, env = "CART_URL")]
    pub cart_url: String,
    /// Where the orders service is.
    #[arg(long, env = "ORDERS_URL")]
    pub orders_url: String,
    /// Where the payments service is.
    #[arg(long, env = "PAYMENTS_URL")]
    pub payments_url: String,
    /// Where the notifications service is.
    #[arg(long, env = "NOTIFICATIONS_URL")]
    pub notifications_url: String,
}

/// A replica may go on signing with the key before for so long.
const SIGNING_LAG: Duration = Duration::minutes(5);

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

    /// What applications are told about us.
    pub fn provider(&self) -> Provider {
        Provider {
            issuer: self.public_url.trim_end_matches('/').to_owned(),
            api_issuer: self.host.token.jwt_issuer.clone(),
            api_audience: self.host.token.jwt_audience.clone(),
            lifetimes: self.lifetimes(),
        }
    }

    /// How the signing keys follow each other.
    pub fn key_plan(&self) -> KeyPlan {
        KeyPlan {
            lead: Duration::seconds(self.keys.key_lead_seconds.into()),
            retirement: self.lifetimes().access + SIGNING_LAG,
            rotate_after: Duration::seconds(self.keys.key_rotation_seconds.into()),
        }
    }

    /// How many wrong guesses are free.
    pub fn limits(&self) -> Limits {
        Limits {
            account: Limit { free: self.guessing.guesses_per_account },
            address: Limit { free: self.guessing.guesses_per_address },
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

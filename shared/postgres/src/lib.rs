//! A service's own PostgreSQL: settings, connecting, migrations.

mod migrations;
mod outage;
mod saturation;
mod transaction;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

pub use migrations::{Migrations, migrate, open};
pub use outage::is_outage;
pub use transaction::begin;

/// Database settings.
#[derive(clap::Args, Clone, Debug)]
pub struct DatabaseConfig {
    /// PostgreSQL URL of the service's own database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// The most connections this process opens.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value_t = 10)]
    pub database_max_connections: u32,
    /// What to do about the schema at start: bring it up to date, only that, or wait for
    /// somebody else to do it.
    #[arg(long, env = "DATABASE_MIGRATIONS", value_enum, default_value_t)]
    pub database_migrations: Migrations,
}

/// How long one use case may wait for a connection before it is refused.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Opens the pool, waiting for the server until `deadline` has passed.
///
/// Fails with one line that names the setting.
pub async fn connect(config: &DatabaseConfig, deadline: Duration) -> Result<PgPool> {
    let url = config.database_url.expose_secret();
    let options: PgConnectOptions = url.parse().context("DATABASE_URL is not a PostgreSQL URL")?;
    let server = format!("{}:{}", options.get_host(), options.get_port());
    wait(&options, &server, deadline).await?;
    let name = options.get_database().unwrap_or("postgres").to_owned();
    let pool = PgPoolOptions::new()
        .max_connections(config.database_max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .with_context(|| format!("no database at {server} (DATABASE_URL)"))?;
    saturation::watch(&pool, &name);
    Ok(pool)
}

/// A single connection tells why there is none; a pool only that time is up.
async fn wait(options: &PgConnectOptions, server: &str, deadline: Duration) -> Result<()> {
    let started = Instant::now();
    loop {
        let trying = tokio::time::timeout(deadline.max(ACQUIRE_TIMEOUT), options.connect());
        let error = match trying.await {
            Ok(Ok(connection)) => return Ok(connection.close().await?),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if started.elapsed() >= deadline {
            bail!("no database at {server} within {deadline:?} (DATABASE_URL): {error}");
        }
        tracing::warn!(db.server = server, error, "no database yet (DATABASE_URL); trying again");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The readiness check of a service that needs its database.
pub fn check(pool: &PgPool) -> impl Fn() -> BoxFuture<'static, bool> + Send + Sync + 'static {
    let pool = pool.clone();
    move || {
        let pool = pool.clone();
        Box::pin(async move { is_up(&pool).await })
    }
}

/// True when the database answers.
pub async fn is_up(pool: &PgPool) -> bool {
    sqlx::query("select 1").execute(pool).await.is_ok()
}

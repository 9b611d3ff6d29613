//! The composition root.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use events::Relay;
use grpc::{Host, Mesh, Server, Verifier};
use proto::identity::v1::identity_service_server::IdentityServiceServer;
use runtime::{Metrics, Readiness, Shutdown};
use sqlx::PgPool;

use crate::api::{IdentityApi, LocalKeys};
use crate::config::Config;
use crate::core::Identity;
use crate::core::ports::RefreshTokens;
use crate::infrastructure::{Argon2Passwords, Es256Keys, PostgresRefreshTokens, PostgresUsers};

/// The service, built but not yet running.
pub struct App {
    host: Host,
    relay: Relay,
    tokens: Arc<PostgresRefreshTokens>,
}

impl App {
    /// Connects, brings the schema up to date, makes sure that there are a signing
    /// key and the first admin, and binds the ports.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let pool = connect(&config).await?;
        let keys = Es256Keys::load(pool.clone(), config.host.token.clone());
        let keys = Arc::new(keys.await.context("no signing key")?);
        let users = Arc::new(PostgresUsers::new(pool.clone()));
        let tokens = Arc::new(PostgresRefreshTokens::new(pool.clone()));
        let passwords = Arc::new(Argon2Passwords::new(&config.argon2).await?);
        let lifetimes = config.lifetimes();
        let core = Identity::new(users, tokens.clone(), passwords, keys.clone(), lifetimes);
        let core = Arc::new(core);
        ensure_admin(&core, &config).await?;

        let mesh = Mesh::load(&config.host.mesh)?;
        // Its own keys: no call over the network to itself.
        let verifier = Verifier::new(&config.host.token, LocalKeys::new(keys));
        let server = Server::bind("identity", &config.host.server, &mesh, verifier)
            .await?
            .add(IdentityServiceServer::new(IdentityApi::new(core)));
        let relay = Relay::new("identity", pool.clone(), config.broker.clone());
        let readiness = readiness(&pool, &relay);
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        Ok(Self { host, relay, tokens })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown or until a part fails.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        let relay = self.relay.run(shutdown.clone());
        let forgetting = forget_expired(self.tokens, shutdown.clone());
        self.host
            .task("outbox relay", relay)
            .task("forgetting expired tokens", forgetting)
            .run(shutdown)
            .await
    }
}

async fn connect(config: &Config) -> Result<PgPool> {
    let deadline = config.host.runtime.startup_deadline();
    let pool = postgres::connect(&config.database, deadline).await?;
    postgres::migrate(&pool, &[&crate::MIGRATOR, &events::OUTBOX]).await?;
    Ok(pool)
}

async fn ensure_admin(core: &Identity, config: &Config) -> Result<()> {
    if let Some((email, password)) = config.admin()?
        && core.ensure_admin(email, password).await.context("no first admin (ADMIN_EMAIL)")?
    {
        tracing::info!("made the first admin's account (ADMIN_EMAIL)");
    }
    Ok(())
}

fn readiness(pool: &PgPool, relay: &Relay) -> Readiness {
    Readiness::default()
        .check("database", postgres::check(pool))
        .prefer("broker", relay.health().check())
}

/// How often expired refresh tokens are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// How long they are remembered, so that clocks that differ do no harm.
const FORGET_AFTER: time::Duration = time::Duration::days(1);

async fn forget_expired(tokens: Arc<PostgresRefreshTokens>, shutdown: Shutdown) -> Result<()> {
    let mut ticks = tokio::time::interval(FORGET_EVERY);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        match tokens.forget_expired(types::now() - FORGET_AFTER).await {
            Ok(count) => tracing::debug!(count, "forgot expired refresh tokens"),
            Err(error) => tracing::warn!(error = %error, "expired refresh tokens stay for now"),
        }
    }
}

//! The composition root.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use events::Relay;
use grpc::{Host, Mesh, RemoteKeys, Server, Verifier};
use proto::payments::v1::checkout_payment_service_server::CheckoutPaymentServiceServer;
use proto::payments::v1::payment_service_server::PaymentServiceServer;
use runtime::{Metrics, Readiness, Shutdown};
use sqlx::PgPool;

use crate::api::{CheckoutApi, PaymentApi};
use crate::config::{Config, ProviderKind, SweepConfig};
use crate::core::Payments;
use crate::core::ports::{Provider, WebhookReader};
use crate::infrastructure::postgres::{PostgresPayments, PostgresRefunds, PostgresWebhooks};
use crate::infrastructure::sandbox::{self, Sandbox};
use crate::infrastructure::stripe::{self, Stripe};

/// The service, built but not yet running.
pub struct App {
    host: Host,
    relay: Relay,
    core: Payments,
    sweep: SweepConfig,
}

impl App {
    /// Connects, migrates and binds.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let deadline = config.host.runtime.startup_deadline();
        let pool = postgres::connect(&config.database, deadline).await?;
        postgres::migrate(&pool, &[&crate::MIGRATOR, &events::OUTBOX]).await?;
        let mesh = Mesh::load(&config.host.mesh)?;
        let keys = RemoteKeys::new(mesh.channel(&config.identity_url, "identity")?);
        let verifier = Verifier::new(&config.host.token, keys);
        let relay = Relay::new("payments", pool.clone(), config.broker.clone());
        let core = core(&config, &pool)?;
        let server = Server::bind("payments", &config.host.server, &mesh, verifier)
            .await?
            .add(PaymentServiceServer::new(PaymentApi::new(core.clone())))
            .add(CheckoutPaymentServiceServer::new(CheckoutApi::new(core.clone())));
        let readiness = Readiness::default()
            .check("database", postgres::check(&pool))
            .prefer("broker", relay.health().check());
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        Ok(Self { host, relay, core, sweep: config.sweep })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown or until a part fails.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let relay = self.relay.run(shutdown.clone());
        let sweeping = sweep(self.core, self.sweep, shutdown.clone());
        self.host
            .task("outbox relay", relay)
            .task("sweep", sweeping)
            .run(shutdown)
            .await
    }
}

fn core(config: &Config, pool: &PgPool) -> Result<Payments> {
    let after = config.sweep.after();
    let (provider_name, provider, reader) = provider(config)?;
    Ok(Payments {
        payments: Arc::new(PostgresPayments::new(pool.clone(), after)),
        refunds: Arc::new(PostgresRefunds::new(pool.clone(), after)),
        webhooks: Arc::new(PostgresWebhooks::new(pool.clone())),
        provider_name,
        provider,
        reader,
    })
}

type Both = (&'static str, Arc<dyn Provider>, Arc<dyn WebhookReader>);

fn provider(config: &Config) -> Result<Both> {
    Ok(match config.payment_provider {
        ProviderKind::Sandbox => {
            let sandbox = Arc::new(Sandbox::new(&config.sandbox)?);
            (sandbox::NAME, sandbox.clone(), sandbox)
        }
        ProviderKind::Stripe => {
            let stripe = Arc::new(Stripe::new(&config.stripe)?);
            (stripe::NAME, stripe.clone(), stripe)
        }
    })
}

/// A failed round is told and made up for by the next.
async fn sweep(core: Payments, config: SweepConfig, shutdown: Shutdown) -> Result<()> {
    let mut ticks = tokio::time::interval(config.every());
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            _ = ticks.tick() => {}
        }
        if let Err(error) = core.sweep().await {
            tracing::warn!(error = %error, "not swept");
        }
    }
}

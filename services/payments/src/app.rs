//! The composition root.

mod rounds;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use events::Relay;
use grpc::{Host, Mesh, RemoteKeys, Server, Verifier};
use proto::payments::v1::checkout_payment_service_server::CheckoutPaymentServiceServer;
use proto::payments::v1::payment_service_server::PaymentServiceServer;
use proto::payments::v1::personal_data_service_server::PersonalDataServiceServer;
use runtime::{Metrics, Readiness, Shutdown};
use sqlx::PgPool;

use crate::api::{CheckoutApi, PaymentApi, PersonalDataApi};
use crate::config::{Config, ProviderKind};
use crate::core::ports::{Books, Provider, WebhookReader};
use crate::core::{Payments, figures};
use crate::infrastructure::postgres::{
    PostgresAccounts, PostgresPayments, PostgresPeople, PostgresRefunds, PostgresWebhooks,
};
use crate::infrastructure::sandbox::{self, Sandbox};
use crate::infrastructure::stripe::{self, Stripe};

/// The service, built but not yet running.
pub struct App {
    host: Host,
    relay: Relay,
    core: Payments,
    config: Config,
}

impl App {
    /// Connects, migrates and binds.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        figures::begin();
        let deadline = config.host.runtime.startup_deadline();
        let parts = [&crate::MIGRATOR, &events::OUTBOX, &personal::ERASED];
        let pool = postgres::open(&config.database, deadline, &parts).await?;
        let mesh = Mesh::load(&config.host.mesh)?;
        let keys = RemoteKeys::new(mesh.channel(&config.identity_url, "identity")?);
        let verifier = Verifier::new(&config.host.token, keys);
        let relay = Relay::new("payments", pool.clone(), config.broker.clone());
        let core = core(&config, &pool)?;
        let grace = config.reconcile.grace();
        let server = Server::bind("payments", &config.host.server, &mesh, verifier)
            .await?
            .add(PaymentServiceServer::new(PaymentApi::new(core.clone(), grace)))
            .add(CheckoutPaymentServiceServer::new(CheckoutApi::new(core.clone())))
            .add(PersonalDataServiceServer::new(PersonalDataApi::new(core.clone())));
        let readiness = Readiness::default()
            .check("database", postgres::check(&pool))
            .prefer("broker", relay.health().check());
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        Ok(Self { host, relay, core, config })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown or until a part fails.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        let relay = self.relay.run(shutdown.clone());
        let Self { core, config, .. } = self;
        let sweep = rounds::sweep(core.clone(), config.sweep, shutdown.clone());
        let reconcile = rounds::reconcile(core.clone(), config.reconcile, shutdown.clone());
        let purge = rounds::purge(core, config.retention, shutdown.clone());
        self.host
            .task("outbox relay", relay)
            .task("sweep", sweep)
            .task("reconciliation", reconcile)
            .task("purge", purge)
            .run(shutdown)
            .await
    }
}

fn core(config: &Config, pool: &PgPool) -> Result<Payments> {
    let after = config.sweep.after();
    let Adapter { provider_name, provider, reader, books } = adapter(config)?;
    Ok(Payments {
        payments: Arc::new(PostgresPayments::new(pool.clone(), after)),
        refunds: Arc::new(PostgresRefunds::new(pool.clone(), after)),
        webhooks: Arc::new(PostgresWebhooks::new(pool.clone(), after)),
        accounts: Arc::new(PostgresAccounts::new(pool.clone())),
        people: Arc::new(PostgresPeople::new(pool.clone())),
        provider_name,
        provider,
        reader,
        books,
    })
}

/// One provider in its three roles.
struct Adapter {
    provider_name: &'static str,
    provider: Arc<dyn Provider>,
    reader: Arc<dyn WebhookReader>,
    books: Arc<dyn Books>,
}

impl Adapter {
    fn of(
        provider_name: &'static str,
        all: Arc<impl Provider + WebhookReader + Books + 'static>,
    ) -> Self {
        Self { provider_name, provider: all.clone(), reader: all.clone(), books: all }
    }
}

fn adapter(config: &Config) -> Result<Adapter> {
    Ok(match config.payment_provider {
        ProviderKind::Sandbox => {
            Adapter::of(sandbox::NAME, Arc::new(Sandbox::new(&config.sandbox)?))
        }
        ProviderKind::Stripe => Adapter::of(stripe::NAME, Arc::new(Stripe::new(&config.stripe)?)),
    })
}

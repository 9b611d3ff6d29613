//! The composition root.

mod delivery;
mod purge;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use events::{Consumer, DeadLetters};
use grpc::{Host, Mesh, MeshChannel, RemoteKeys, Server, Verifier};
use proto::identity::v1::{MailTokenRequested, SecurityEventRecorded, UserRegistered};
use proto::notifications::v1::dead_letter_service_server::DeadLetterServiceServer;
use proto::notifications::v1::notification_service_server::NotificationServiceServer;
use proto::notifications::v1::personal_data_service_server::PersonalDataServiceServer;
use proto::orders::v1::{OrderCancelled, OrderConfirmed, OrderFailed};
use proto::payments::v1::PaymentRefunded;
use runtime::{Metrics, Readiness, Shutdown};
use sqlx::PgPool;

use crate::api::{DeadLettersApi, Facts, NotificationApi, PersonalDataApi};
use crate::config::Config;
use crate::core::postman::Links;
use crate::core::{Notifier, Postman, Registry};
use crate::infrastructure::{
    GrpcMailTokens, PostgresDeliveries, PostgresEffects, PostgresNotifications, PostgresPeople,
    SmtpMailer, Templates,
};

/// The service, built but not yet running.
pub struct App {
    host: Host,
    pool: PgPool,
    consumer: Consumer,
    postman: Arc<Postman>,
    registry: Arc<Registry>,
}

impl App {
    /// Connects, brings the schema up to date and binds the ports.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        let pool = connect(&config).await?;
        let texts = Arc::new(Templates::load().context("a template is malformed")?);
        let notifications = Arc::new(PostgresNotifications::new(pool.clone()));
        let core = Arc::new(Notifier::new(notifications.clone(), texts.clone()));
        let people = Arc::new(PostgresPeople::new(pool.clone()));
        let registry = Arc::new(Registry::new(people, notifications));

        let mesh = Mesh::load(&config.host.mesh)?;
        let identity = || mesh.channel(&config.identity_url, "identity");
        let verifier = Verifier::new(&config.host.token, RemoteKeys::new(identity()?));
        // A channel of its own: trouble with tokens must not keep keys away.
        let postman = Arc::new(postman(&config, &pool, texts, identity()?)?);
        let broker = config.broker.clone();
        let dead_letters = Arc::new(DeadLetters::new("notifications", pool.clone(), broker));
        let server = Server::bind("notifications", &config.host.server, &mesh, verifier)
            .await?
            .add(NotificationServiceServer::new(NotificationApi::new(core.clone())))
            .add(DeadLetterServiceServer::new(DeadLettersApi::new(dead_letters)))
            .add(PersonalDataServiceServer::new(PersonalDataApi::new(registry.clone())));
        let consumer = Consumer::new("notifications", pool.clone(), config.broker.clone());
        let consumer = subscribe(consumer, core);
        let readiness = readiness(&pool, &consumer);
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        Ok(Self { host, pool, consumer, postman, registry })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Where metrics and probes are served.
    pub fn admin_addr(&self) -> Result<SocketAddr> {
        self.host.admin_addr()
    }

    /// Runs until shutdown or until a part fails.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        let consumer = self.consumer.run(shutdown.clone());
        let delivering = delivery::run(self.postman, self.pool, shutdown.clone());
        let purging = purge::run(self.registry, shutdown.clone());
        self.host
            .task("consumer", consumer)
            .task("delivery", delivering)
            .task("purge", purging)
            .run(shutdown)
            .await
    }
}

async fn connect(config: &Config) -> Result<PgPool> {
    let deadline = config.host.runtime.startup_deadline();
    let parts = [&crate::MIGRATOR, &events::INBOX, &audit::ACTIONS, &personal::ERASED];
    postgres::open(&config.database, deadline, &parts).await
}

fn postman(
    config: &Config,
    pool: &PgPool,
    texts: Arc<Templates>,
    identity: MeshChannel,
) -> Result<Postman> {
    let deliveries = Arc::new(PostgresDeliveries::new(pool.clone()));
    let mailer = Arc::new(SmtpMailer::new(&config.mail)?);
    let tokens = Arc::new(GrpcMailTokens::new(identity));
    let links = Links { tokens, public_url: config.public_url.clone() };
    Ok(Postman::new(deliveries, mailer, texts, links, config.patience()?))
}

fn subscribe(consumer: Consumer, core: Arc<Notifier>) -> Consumer {
    let facts = Facts::new(core, |tx| Box::new(PostgresEffects::within(tx)));
    consumer
        .on::<UserRegistered, _>(facts.clone())
        .on::<MailTokenRequested, _>(facts.clone())
        .on::<SecurityEventRecorded, _>(facts.clone())
        .on::<OrderConfirmed, _>(facts.clone())
        .on::<OrderFailed, _>(facts.clone())
        .on::<OrderCancelled, _>(facts.clone())
        .on::<PaymentRefunded, _>(facts)
}

/// The mail server is not part of it: while it is away e-mails wait, and
/// everything else works. Without the broker nothing new is told, and what was told
/// before can be read.
fn readiness(pool: &PgPool, consumer: &Consumer) -> Readiness {
    Readiness::default()
        .check("database", postgres::check(pool))
        .prefer("broker", consumer.health().check())
}

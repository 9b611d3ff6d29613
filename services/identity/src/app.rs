//! The composition root.

mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use events::Relay;
use grpc::{Host, Mesh, Server, Verifier};
use proto::identity::v1::account_service_server::AccountServiceServer;
use proto::identity::v1::address_service_server::AddressServiceServer;
use proto::identity::v1::client_service_server::ClientServiceServer;
use proto::identity::v1::erasure_service_server::ErasureServiceServer;
use proto::identity::v1::identity_service_server::IdentityServiceServer;
use proto::identity::v1::role_service_server::RoleServiceServer;
use proto::identity::v1::security_service_server::SecurityServiceServer;
use proto::policy;
use runtime::{Metrics, Readiness, Shutdown};
use sqlx::PgPool;
use upkeep::Upkeep;

use crate::api::{
    AccountApi, AddressApi, ClientApi, ErasureApi, IdentityApi, LocalKeys, RoleApi, SecurityApi,
};
use crate::config::Config;
use crate::core::oauth::clients::Register;
use crate::core::ports::{PersonalData, Ports};
use crate::core::{Accounts, AddressBook, Erasure, Identity, OAuth, Roles, Security};
use crate::domain::BuiltIn;
use crate::infrastructure::elsewhere::{CartData, NotificationsData, OrdersData, PaymentsData};
use crate::infrastructure::{
    Argon2Passwords, Es256Keys, OwnData, PostgresAddresses, PostgresAuditLog, PostgresClients,
    PostgresErasures, PostgresGrants, PostgresGuesses, PostgresMails, PostgresRefreshTokens,
    PostgresRevocations, PostgresRoles, PostgresSecondFactors, PostgresUsers, Sealing,
};

/// The service, built but not yet running.
pub struct App {
    host: Host,
    relay: Relay,
    upkeep: Upkeep,
}

impl App {
    /// Connects, brings the schema up to date, makes sure that there are a signing
    /// key and the first admin, and binds the ports.
    pub async fn build(config: Config, metrics: Metrics) -> Result<Self> {
        // From the start: a rise from nothing is not seen as one.
        metrics::counter!("stoa_registrations_total").increment(0);
        let pool = connect(&config).await?;
        let sealing = Arc::new(Sealing::new(&config.keys.sealing_keys)?);
        let keys = Es256Keys::load(pool.clone(), sealing.clone(), config.host.token.clone());
        let keys = Arc::new(keys.await.context("no signing key")?);
        let passwords = Arc::new(Argon2Passwords::new(&config.argon2).await?);
        let ports = Arc::new(Ports {
            users: Arc::new(PostgresUsers::new(pool.clone())),
            tokens: Arc::new(PostgresRefreshTokens::new(pool.clone())),
            passwords,
            keys: keys.clone(),
            factors: Arc::new(PostgresSecondFactors::new(pool.clone(), sealing)),
            mails: Arc::new(PostgresMails::new(pool.clone())),
            guesses: Arc::new(PostgresGuesses::new(pool.clone())),
            audit: Arc::new(PostgresAuditLog::new(pool.clone())),
            erasures: Arc::new(PostgresErasures::new(pool.clone())),
            roles: Arc::new(PostgresRoles::new(pool.clone())),
            addresses: Arc::new(PostgresAddresses::new(pool.clone())),
            revocations: Arc::new(PostgresRevocations::new(pool.clone())),
        });
        let core = Identity::new(ports.clone(), config.limits(), config.lifetimes());
        let core = Arc::new(core);
        let roles = Arc::new(Roles::new(ports.clone(), built_in_roles()));
        ensure_admin(&core, &config).await?;
        let erase_after = time::Duration::seconds(config.erasure.erase_after_seconds.into());
        let accounts = Arc::new(Accounts::new(ports.clone(), config.limits(), erase_after));
        let issuer = config.host.token.jwt_issuer.clone();
        let plan = config.key_plan();
        let security = Arc::new(Security::new(ports.clone(), keys.clone(), issuer, plan));
        let clients = Arc::new(PostgresClients::new(pool.clone()));
        let grants = Arc::new(PostgresGrants::new(pool.clone()));
        let oauth = OAuth::new(
            ports.clone(),
            clients.clone(),
            grants.clone(),
            keys.clone(),
            config.limits(),
            config.provider(),
        );

        let mesh = Mesh::load(&config.host.mesh)?;
        let own = Arc::new(OwnData::new(pool.clone()));
        let erasure = Arc::new(Erasure::new(ports.clone(), own, elsewhere(&config, &mesh)?));
        // Its own keys: no call over the network to itself.
        let verifier = Verifier::new(&config.host.token, LocalKeys::new(core.clone()));
        let pages = crate::web::router(oauth, security.clone()).context("a page is malformed")?;
        let server = Server::bind("identity", &config.host.server, &mesh, verifier)
            .await?
            .add(IdentityServiceServer::new(IdentityApi::new(core, roles.clone())))
            .add(AccountServiceServer::new(AccountApi::new(accounts, erasure.clone())))
            .add(AddressServiceServer::new(AddressApi::new(AddressBook::new(ports.clone()))))
            .add(ErasureServiceServer::new(ErasureApi::new(erasure.clone())))
            .add(RoleServiceServer::new(RoleApi::new(roles.clone())))
            .add(SecurityServiceServer::new(SecurityApi::new(security.clone())))
            .add(ClientServiceServer::new(ClientApi::new(Register::new(clients, roles))))
            .add_pages(&crate::web::PATHS, pages)?;
        let relay = Relay::new("identity", pool.clone(), config.broker.clone());
        let readiness = readiness(&pool, &relay);
        let host = Host::bind(&config.host, server, readiness, metrics).await?;
        let key_poll = Duration::from_secs(config.keys.key_poll_seconds);
        let remember_erasures = time::Duration::days(config.erasure.erasure_record_days.into());
        let upkeep = Upkeep { ports, grants, security, erasure, key_poll, remember_erasures };
        Ok(Self { host, relay, upkeep })
    }

    /// Where the API is served.
    pub fn grpc_addr(&self) -> Result<SocketAddr> {
        self.host.grpc_addr()
    }

    /// Runs until shutdown or until a part fails.
    pub async fn run(self, shutdown: Shutdown) -> Result<()> {
        let shutdown = self.host.after_notice(shutdown);
        let relay = self.relay.run(shutdown.clone());
        let upkeep = self.upkeep.run(shutdown.clone());
        self.host.task("outbox relay", relay).task("upkeep", upkeep).run(shutdown).await
    }
}

/// Those of the contract.
fn built_in_roles() -> Vec<BuiltIn> {
    let built_in = |role: &policy::Role| BuiltIn { name: role.name, permissions: role.permissions };
    policy::ROLES.iter().map(built_in).collect()
}

/// Every other workload that keeps something about people.
fn elsewhere(config: &Config, mesh: &Mesh) -> Result<Vec<Arc<dyn PersonalData>>> {
    let urls = &config.erasure;
    Ok(vec![
        Arc::new(CartData::new(mesh.channel(&urls.cart_url, "cart")?)),
        Arc::new(OrdersData::new(mesh.channel(&urls.orders_url, "orders")?)),
        Arc::new(PaymentsData::new(mesh.channel(&urls.payments_url, "payments")?)),
        Arc::new(NotificationsData::new(mesh.channel(&urls.notifications_url, "notifications")?)),
    ])
}

async fn connect(config: &Config) -> Result<PgPool> {
    let deadline = config.host.runtime.startup_deadline();
    postgres::open(&config.database, deadline, &[&crate::MIGRATOR, &events::OUTBOX]).await
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

//! A running identity service and what tests do with it all the time.

use std::net::SocketAddr;

use grpc::MeshChannel;
use identity::app::App;
use identity::config::{Config, ErasureConfig, GuessConfig, KeyConfig};
use identity::infrastructure::Argon2Config;
use proto::identity::v1::account_service_client::AccountServiceClient;
use proto::identity::v1::address_service_client::AddressServiceClient;
use proto::identity::v1::client_service_client::ClientServiceClient;
use proto::identity::v1::erasure_service_client::ErasureServiceClient;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use proto::identity::v1::role_service_client::RoleServiceClient;
use proto::identity::v1::security_service_client::SecurityServiceClient;
use proto::identity::v1::{
    GetMeRequest, LoginRequest, LogoutRequest, RefreshRequest, RegisterRequest, Session, User,
};
use runtime::Shutdown;
use secrecy::SecretString;
use sqlx::PgPool;
use testkit::{Platform, TestDatabase, bearer};
use tonic::{Code, Status};
use uuid::Uuid;

pub type Client = IdentityServiceClient<MeshChannel>;
pub type Accounts = AccountServiceClient<MeshChannel>;
pub type Security = SecurityServiceClient<MeshChannel>;

pub const PASSWORD: &str = "correct horse battery";
pub const ADMIN_EMAIL: &str = "admin@stoa.local";

/// A service with its own database and virtual host, and the admin
/// `admin@stoa.local`.
pub struct World {
    pub platform: Platform,
    pub config: Config,
    pub shutdown: Shutdown,
    pub database: TestDatabase,
    addr: SocketAddr,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with changed settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let platform = Platform::start().await;
        let database = testkit::database(&[]).await;
        let mut config = config(&platform, &database).await;
        change(&mut config);
        let shutdown = Shutdown::new();
        let addr = run(&config, &shutdown).await;
        Self { platform, config, shutdown, database, addr }
    }

    /// Another replica on the same database.
    pub async fn replica(&self) -> Client {
        self.replica_with(|_| {}).await
    }

    pub async fn replica_with(&self, change: impl FnOnce(&mut Config)) -> Client {
        let mut config = self.config.clone();
        config.host = self.platform.host("identity");
        change(&mut config);
        self.client_at(run(&config, &self.shutdown).await, "edge")
    }

    /// Calls as the edge.
    pub fn client(&self) -> Client {
        self.client_as("edge")
    }

    /// Calls as a workload.
    pub fn client_as(&self, workload: &str) -> Client {
        self.client_at(self.addr, workload)
    }

    /// What people do with their own account, through the edge.
    pub fn accounts(&self) -> Accounts {
        Accounts::new(self.platform.channel("edge", self.addr, "identity"))
    }

    /// What operators and other workloads do, as one of them.
    pub fn security_as(&self, workload: &str) -> Security {
        Security::new(self.platform.channel(workload, self.addr, "identity"))
    }

    /// Address books, through the edge.
    pub fn addresses(&self) -> AddressServiceClient<MeshChannel> {
        AddressServiceClient::new(self.platform.channel("edge", self.addr, "identity"))
    }

    /// Roles, through the edge.
    pub fn roles(&self) -> RoleServiceClient<MeshChannel> {
        RoleServiceClient::new(self.platform.channel("edge", self.addr, "identity"))
    }

    /// Applications, through the edge.
    pub fn applications(&self) -> ClientServiceClient<MeshChannel> {
        ClientServiceClient::new(self.platform.channel("edge", self.addr, "identity"))
    }

    /// Erasures, as operators have them.
    pub fn erasures(&self) -> ErasureServiceClient<MeshChannel> {
        ErasureServiceClient::new(self.platform.channel("tools", self.addr, "identity"))
    }

    pub fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    fn client_at(&self, addr: SocketAddr, workload: &str) -> Client {
        Client::new(self.platform.channel(workload, addr, "identity"))
    }

    pub async fn register(&self, email: &str) -> Session {
        register(&self.client(), email).await.unwrap()
    }

    /// The admin's access token.
    pub async fn admin_token(&self) -> String {
        login(&self.client(), ADMIN_EMAIL, PASSWORD).await.unwrap().access_token
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn config(platform: &Platform, database: &TestDatabase) -> Config {
    Config {
        host: platform.host("identity"),
        database: database.config(),
        broker: broker(&testkit::vhost().await),
        argon2: cheap_hashing(),
        access_token_seconds: 900,
        refresh_token_seconds: 3600,
        admin_email: Some(ADMIN_EMAIL.to_owned()),
        admin_password: Some(SecretString::from(PASSWORD)),
        public_url: "https://shop.example".to_owned(),
        keys: KeyConfig {
            sealing_keys: "test:0123456789abcdef01234567".into(),
            key_rotation_seconds: 30 * 24 * 60 * 60,
            key_lead_seconds: 900,
            key_poll_seconds: 1,
        },
        guessing: GuessConfig { guesses_per_account: 10, guesses_per_address: 100 },
        erasure: ErasureConfig {
            erase_after_seconds: 0,
            erasure_record_days: 400,
            cart_url: NOWHERE.to_owned(),
            orders_url: NOWHERE.to_owned(),
            payments_url: NOWHERE.to_owned(),
            notifications_url: NOWHERE.to_owned(),
        },
    }
}

/// Port 1 answers nobody.
const NOWHERE: &str = "https://127.0.0.1:1";

pub fn broker(url: &str) -> events::BrokerConfig {
    events::BrokerConfig { amqp_url: url.into() }
}

/// Weak hashes, so that tests are about something else.
pub fn cheap_hashing() -> Argon2Config {
    Argon2Config {
        argon2_memory_kib: 64,
        argon2_iterations: 1,
        argon2_parallelism: 1,
        password_hashers: None,
        password_queue: 64,
    }
}

async fn run(config: &Config, shutdown: &Shutdown) -> SocketAddr {
    let app = App::build(config.clone(), testkit::metrics()).await.unwrap();
    let addr = app.grpc_addr().unwrap();
    tokio::spawn(app.run(shutdown.clone()));
    addr
}

pub async fn register(client: &Client, email: &str) -> Result<Session, Status> {
    let request = registration(email, PASSWORD, "Ada Lovelace");
    Ok(client.clone().register(request).await?.into_inner())
}

pub fn registration(email: &str, password: &str, display_name: &str) -> RegisterRequest {
    RegisterRequest {
        email: email.to_owned(),
        password: password.to_owned(),
        display_name: display_name.to_owned(),
    }
}

pub async fn login(client: &Client, email: &str, password: &str) -> Result<Session, Status> {
    login_with_code(client, email, password, "").await
}

pub async fn login_with_code(
    client: &Client,
    email: &str,
    password: &str,
    code: &str,
) -> Result<Session, Status> {
    let (email, password, one_time_code) = (email.to_owned(), password.to_owned(), code.to_owned());
    let request = LoginRequest { email, password, one_time_code };
    Ok(client.clone().login(request).await?.into_inner())
}

pub async fn refresh(client: &Client, token: &str) -> Result<Session, Status> {
    let request = RefreshRequest { refresh_token: token.to_owned() };
    Ok(client.clone().refresh(request).await?.into_inner())
}

pub async fn logout(client: &Client, token: &str) -> Result<(), Status> {
    let request = LogoutRequest { refresh_token: token.to_owned() };
    client.clone().logout(request).await.map(drop)
}

pub async fn me(client: &Client, access_token: &str) -> Result<User, Status> {
    Ok(client.clone().get_me(bearer(GetMeRequest {}, access_token)).await?.into_inner())
}

/// Whose session it is.
pub fn user_id(session: &Session) -> Uuid {
    session.user.as_ref().unwrap().user_id.parse().unwrap()
}

/// Expects a refusal with this code and reason.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, reason: &str) -> Status {
    let status = answer.expect_err("a refusal");
    assert_eq!((status.code(), testkit::reason(&status).as_str()), (code, reason), "{status:?}");
    status
}

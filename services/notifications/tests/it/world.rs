//! A running notifications service and what tests do with it all the time.

use std::net::SocketAddr;

use events::{DeadLetters, Relay};
use grpc::MeshChannel;
use notifications::app::App;
use notifications::config::Config;
use notifications::core::ports::People;
use notifications::infrastructure::{MailConfig, PostgresPeople};
use proto::Fact;
use proto::google::r#type::Money;
use proto::identity::v1::UserRegistered;
use proto::notifications::v1::dead_letter_service_client::DeadLetterServiceClient;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::notifications::v1::{
    DeliveryState, ListNotificationsRequest, Notification, NotificationKind, Preferences,
    UpdatePreferencesRequest,
};
use proto::orders::v1::{OrderConfirmed, OrderFailed, OrderedLine};
use runtime::Shutdown;
use sqlx::PgPool;
use testkit::{Platform, TestDatabase, bearer, eventually};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::identity::Identity;
use crate::smtp::Smtp;

pub type Client = NotificationServiceClient<MeshChannel>;

pub const WELCOME: &str = "Welcome to Stoa";
pub const FAILED: &str = "Your order could not be completed";

/// A service with its own database, virtual host and mail server, and somebody
/// who publishes facts to it.
pub struct World {
    pub platform: Platform,
    pub config: Config,
    pub smtp: Smtp,
    pub identity: Identity,
    database: TestDatabase,
    outbox: TestDatabase,
    running: Running,
    shutdown: Shutdown,
}

struct Running {
    addr: SocketAddr,
    admin: SocketAddr,
    task: JoinHandle<anyhow::Result<()>>,
}

impl World {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with changed settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let (platform, smtp) = (Platform::start().await, Smtp::start().await);
        let database = testkit::database(&[]).await;
        let outbox = testkit::database(&[&events::OUTBOX]).await;
        let (identity, shutdown) = (Identity::of(&platform), Shutdown::new());
        let identity_addr = identity.serve(&platform, shutdown.clone()).await;
        let broker = events::BrokerConfig { amqp_url: testkit::vhost().await.into() };
        let mut config = Config {
            host: platform.host("notifications"),
            database: database.config(),
            broker: broker.clone(),
            mail: MailConfig {
                smtp_url: smtp.url().into(),
                mail_from: "Stoa <shop@stoa.local>".parse().unwrap(),
                mail_timeout_seconds: 5,
            },
            identity_url: format!("https://{identity_addr}"),
            public_url: "https://shop.example/".parse().unwrap(),
            mail_max_attempts: 10,
            mail_lease_seconds: 12,
        };
        change(&mut config);
        tokio::spawn(Relay::new("orders", outbox.pool.clone(), broker).run(shutdown.clone()));
        let running = run(&config, &shutdown).await;
        Self { platform, config, smtp, identity, database, outbox, running, shutdown }
    }

    /// Another replica on the same database.
    pub async fn add_replica(&self) {
        let mut config = self.config.clone();
        config.host = self.platform.host("notifications");
        run(&config, &self.shutdown).await;
    }

    /// Ends the process in the middle of whatever it does.
    pub async fn crash(&mut self) {
        self.running.task.abort();
        let _ = (&mut self.running.task).await;
    }

    pub async fn start_again(&mut self) {
        self.running = run(&self.config, &self.shutdown).await;
    }

    /// Calls as the edge.
    pub fn client(&self) -> Client {
        Client::new(self.platform.channel("edge", self.running.addr, "notifications"))
    }

    /// Where the API is served.
    pub fn addr(&self) -> SocketAddr {
        self.running.addr
    }

    /// As the service does from time to time.
    pub async fn forget_old(&self) {
        PostgresPeople::new(self.pool().clone()).forget_old().await.unwrap();
    }

    pub fn admin_addr(&self) -> SocketAddr {
        self.running.admin
    }

    pub fn pool(&self) -> &PgPool {
        &self.database.pool
    }

    /// As the workload itself reaches them.
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new("notifications", self.pool().clone(), self.config.broker.clone())
    }

    /// The API for operators, through the edge.
    pub fn operators(&self) -> DeadLetterServiceClient<MeshChannel> {
        let channel = self.platform.channel("edge", self.running.addr, "notifications");
        DeadLetterServiceClient::new(channel)
    }

    /// Publishes as another service does.
    pub async fn publish(&self, fact: &impl Fact) {
        let mut tx = postgres::begin(&self.outbox.pool).await.unwrap();
        events::publish(&mut tx, fact).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Publishes what another version of a service would.
    pub async fn publish_bytes(&self, topic: &str, key: &str, schema: &str, payload: Vec<u8>) {
        let insert = "insert into outbox (id, topic, key, schema, payload)
                      values ($1, $2, $3, $4, $5)";
        sqlx::query(insert)
            .bind(Uuid::now_v7())
            .bind(topic)
            .bind(key)
            .bind(schema)
            .bind(payload)
            .execute(&self.outbox.pool)
            .await
            .unwrap();
        sqlx::query("select pg_notify('outbox', '')").execute(&self.outbox.pool).await.unwrap();
    }

    /// Waits until everything was published and one event of each topic consumed; fails
    /// when one became a dead letter.
    pub async fn consumed_all(&self, topics: impl ExactSizeIterator<Item = &str>) {
        let unsent = "select count(*) from outbox where sent_at is null";
        eventually("facts published", async || {
            let unsent: i64 =
                sqlx::query_scalar(unsent).fetch_one(&self.outbox.pool).await.unwrap();
            (unsent == 0).then_some(())
        })
        .await;
        self.consumed(i64::try_from(topics.len()).unwrap()).await;
        for queue in self.dead_letters().list(None, 0).await.unwrap() {
            assert_eq!(queue.count, 0, "{} has dead letters", queue.topic);
        }
    }

    /// Publishes every fact so far once more, as the same events.
    pub async fn publish_again(&self) {
        let again = "update outbox set sent_at = null";
        sqlx::query(again).execute(&self.outbox.pool).await.unwrap();
    }

    /// Waits until this many different events have been consumed.
    pub async fn consumed(&self, count: i64) {
        eventually("facts consumed", async || {
            let consumed: i64 = sqlx::query_scalar("select count(*) from inbox")
                .fetch_one(self.pool())
                .await
                .unwrap();
            (consumed == count).then_some(())
        })
        .await;
    }

    pub fn token(&self, user: Uuid) -> String {
        self.platform.token(user, &["customer"])
    }

    /// What a user was told, newest first.
    pub async fn told(&self, user: Uuid) -> Vec<Notification> {
        let request = ListNotificationsRequest { page_size: 100, page_token: String::new() };
        let request = bearer(request, &self.token(user));
        self.client().list_notifications(request).await.unwrap().into_inner().notifications
    }

    /// Waits until a user was told so and the e-mail is in this state.
    pub async fn told_as(
        &self,
        user: Uuid,
        kind: NotificationKind,
        state: DeliveryState,
    ) -> Notification {
        eventually(&format!("{kind:?} with its e-mail {state:?}"), async || {
            let told = self.told(user).await;
            told.into_iter().find(|n| n.kind() == kind && n.email_state() == state)
        })
        .await
    }

    pub async fn turn_email(&self, user: Uuid, on: bool) {
        let request = UpdatePreferencesRequest {
            preferences: Some(Preferences { email: on }),
            update_mask: None,
        };
        self.client().update_preferences(bearer(request, &self.token(user))).await.unwrap();
    }

    /// How often the e-mails of a user were tried.
    pub async fn attempts(&self, notification: &Notification) -> i32 {
        sqlx::query_scalar("select attempts from deliveries where notification_id = $1")
            .bind(notification.notification_id.parse::<Uuid>().unwrap())
            .fetch_one(self.pool())
            .await
            .unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn run(config: &Config, shutdown: &Shutdown) -> Running {
    let app = App::build(config.clone(), testkit::metrics()).await.unwrap();
    let (addr, admin) = (app.grpc_addr().unwrap(), app.admin_addr().unwrap());
    let task = tokio::spawn(app.run(shutdown.clone()));
    Running { addr, admin, task }
}

pub fn euros(units: i64, cents: i32) -> Money {
    Money { currency_code: "EUR".to_owned(), units, nanos: cents * 10_000_000 }
}

pub fn registered(user: Uuid, display_name: &str) -> UserRegistered {
    UserRegistered {
        user_id: user.to_string(),
        email: format!("{}@example.com", user.simple()),
        display_name: display_name.to_owned(),
    }
}

pub fn confirmed(user: Uuid, order: Uuid) -> OrderConfirmed {
    let line = |name: &str, quantity, total| OrderedLine {
        product_id: Uuid::now_v7().to_string(),
        name: name.to_owned(),
        quantity,
        line_total: Some(total),
    };
    OrderConfirmed {
        order_id: order.to_string(),
        user_id: user.to_string(),
        total: Some(euros(12, 99)),
        lines: vec![line("Green tea", 2, euros(10, 0)), line("Tom & Jerry's mug", 1, euros(2, 99))],
    }
}

pub fn failed(user: Uuid, order: Uuid) -> OrderFailed {
    OrderFailed {
        order_id: order.to_string(),
        user_id: user.to_string(),
        reason: "PAYMENT_DECLINED".to_owned(),
    }
}

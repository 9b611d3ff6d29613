//! Everything that a test needs: payments, the sandbox, and the ways between them.

use std::net::SocketAddr;

use clap::Parser;
use events::BrokerConfig;
use grpc::MeshChannel;
use payments::config::{
    Config, ProviderKind, ReconcileConfig, RetentionConfig, SandboxConfig, StripeConfig,
    SweepConfig,
};
use proto::google::r#type::Money;
use proto::payments::v1 as pb;
use proto::payments::v1::checkout_payment_service_client::CheckoutPaymentServiceClient;
use proto::payments::v1::payment_service_client::PaymentServiceClient;
use runtime::Shutdown;
use testkit::{Platform, TestDatabase};
use tonic::Status;
use uuid::Uuid;

use crate::bank::Bank;
use crate::door::Door;
use crate::road::Road;
use crate::stripe_double::StripeDouble;

pub const WEBHOOK_SECRET: &str = "whsec_test";
pub const API_KEY: &str = "sk_test";
const FREE: &str = "127.0.0.1:0";

/// What may differ between worlds.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub provider: ProviderKind,
    /// Webhooks reach payments by themselves.
    pub webhooks: bool,
    pub webhook_duplicates: u32,
    /// How long payments waits for the sandbox.
    pub patience_millis: u64,
    /// When payments looks up what it does not know.
    pub sweep_after_millis: u64,
    /// How often payments compares books by itself.
    pub reconcile_every_seconds: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            provider: ProviderKind::Sandbox,
            webhooks: false,
            webhook_duplicates: 0,
            patience_millis: 4_000,
            sweep_after_millis: 600_000,
            reconcile_every_seconds: 3_600,
        }
    }
}

pub struct World {
    pub platform: Platform,
    pub database: TestDatabase,
    pub bank: Bank,
    pub road: Road,
    pub door: Door,
    pub checkout: CheckoutPaymentServiceClient<MeshChannel>,
    pub people: PaymentServiceClient<MeshChannel>,
    /// Where payments is served.
    pub addr: SocketAddr,
    shutdown: Shutdown,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl World {
    /// Webhooks are kept at the door, nothing is swept.
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let shutdown = Shutdown::new();
        let platform = Platform::start().await;
        let database = testkit::database(&[]).await;
        let door = Door::open(options.webhooks).await;
        let bank = open_bank(&door, options, &shutdown).await;
        let road = Road::to(bank.addr()).await;
        let config = config(&platform, &database, road.addr, options).await;
        let payments = start_payments(config, &shutdown).await;
        let checkout = platform.channel("orders", payments, "payments");
        let people = PaymentServiceClient::new(platform.channel("edge", payments, "payments"));
        door.leads_to(people.clone());
        let checkout = CheckoutPaymentServiceClient::new(checkout);
        let addr = payments;
        Self { platform, database, bank, road, door, checkout, people, addr, shutdown }
    }

    pub async fn authorize(&self, order: &Order) -> Result<pb::Payment, Status> {
        let mut checkout = self.checkout.clone();
        Ok(checkout.authorize(order.request()).await?.into_inner())
    }

    pub async fn capture(&self, order: &Order) -> Result<pb::Payment, Status> {
        let request = pb::CaptureRequest { order_id: order.order_id.to_string() };
        Ok(self.checkout.clone().capture(request).await?.into_inner())
    }

    pub async fn reverse(&self, order: &Order) -> Result<Option<pb::Payment>, Status> {
        let request = pb::ReverseRequest { order_id: order.order_id.to_string() };
        Ok(self.checkout.clone().reverse(request).await?.into_inner().payment)
    }

    /// A payment whose money was taken.
    pub async fn captured(&self, order: &Order) -> pb::Payment {
        self.authorize(order).await.expect("authorized");
        self.capture(order).await.expect("captured")
    }

    /// The state that payments has recorded for an order.
    pub async fn state(&self, order: &Order) -> String {
        sqlx::query_scalar("select state from payments where order_id = $1")
            .bind(order.order_id)
            .fetch_one(&self.database.pool)
            .await
            .unwrap()
    }

    /// Waits until payments has recorded a state.
    pub async fn becomes(&self, order: &Order, state: &str) {
        testkit::eventually(&format!("the payment is {state}"), async || {
            (self.state(order).await == state).then_some(())
        })
        .await;
    }

    /// The charges at the provider: state and what was given back.
    pub async fn charges(&self) -> Vec<(String, i64)> {
        self.bank.charges().await.into_iter().map(|c| (c.state, c.refunded_minor)).collect()
    }

    /// An order's payment and its state, if there is one.
    pub async fn payment(&self, order: &Order) -> Option<(Uuid, String)> {
        sqlx::query_as("select id, state from payments where order_id = $1")
            .bind(order.order_id)
            .fetch_optional(&self.database.pool)
            .await
            .unwrap()
    }

    /// The id of an order's payment.
    pub async fn payment_id(&self, order: &Order) -> Uuid {
        sqlx::query_scalar("select id from payments where order_id = $1")
            .bind(order.order_id)
            .fetch_one(&self.database.pool)
            .await
            .unwrap()
    }

    /// The facts told so far, without their `payments.v1.payment_`.
    pub async fn facts(&self) -> Vec<String> {
        let topics: Vec<String> = sqlx::query_scalar("select topic from outbox order by position")
            .fetch_all(&self.database.pool)
            .await
            .unwrap();
        let short = |t: &String| t.trim_start_matches("payments.v1.payment_").to_owned();
        topics.iter().map(short).collect()
    }

    /// The balance of an account: debits less credits.
    pub async fn balance(&self, account: &str) -> i64 {
        sqlx::query_scalar(
            "select coalesce(sum(debit_minor - credit_minor), 0)::bigint
             from ledger_entries where account = $1",
        )
        .bind(account)
        .fetch_one(&self.database.pool)
        .await
        .unwrap()
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&self.database.pool).await.unwrap()
    }
}

async fn open_bank(door: &Door, options: Options, shutdown: &Shutdown) -> Bank {
    match options.provider {
        ProviderKind::Stripe => Bank::Stripe(StripeDouble::open().await),
        ProviderKind::Sandbox => {
            let database = testkit::database(&[]).await;
            let config = sandbox_config(&database, door.addr, FREE, options.webhook_duplicates);
            let addr = start_sandbox(config, shutdown).await;
            Bank::Sandbox { database, addr }
        }
    }
}

pub fn sandbox_config(
    database: &TestDatabase,
    door: SocketAddr,
    http_addr: &str,
    webhook_duplicates: u32,
) -> Vec<String> {
    vec![
        "sandbox".to_owned(),
        format!("--http-addr={http_addr}"),
        format!("--admin-addr={FREE}"),
        format!("--database-url={}", database.url),
        "--database-max-connections=4".to_owned(),
        format!("--api-key={API_KEY}"),
        format!("--webhook-url=http://{door}/hook"),
        format!("--webhook-secret={WEBHOOK_SECRET}"),
        format!("--webhook-duplicates={webhook_duplicates}"),
        "--slow-millis=500".to_owned(),
        "--timeout-millis=30000".to_owned(),
    ]
}

async fn start_sandbox(args: Vec<String>, shutdown: &Shutdown) -> SocketAddr {
    let config = sandbox::config::Config::parse_from(args);
    let app =
        sandbox::app::App::build(config, testkit::metrics()).await.expect("the sandbox starts");
    let addr = app.http_addr().unwrap();
    let shutdown = shutdown.clone();
    tokio::spawn(async move { app.run(shutdown).await.expect("the sandbox runs") });
    addr
}

/// Settings of payments with its provider at an address.
pub async fn config(
    platform: &Platform,
    database: &TestDatabase,
    provider: SocketAddr,
    options: Options,
) -> Config {
    Config {
        host: platform.host("payments"),
        database: database.config(),
        broker: BrokerConfig { amqp_url: testkit::vhost().await.into() },
        payment_provider: options.provider,
        sandbox: SandboxConfig {
            sandbox_url: Some(format!("http://{provider}")),
            sandbox_api_key: Some(API_KEY.into()),
            sandbox_webhook_secret: Some(WEBHOOK_SECRET.into()),
            sandbox_timeout_millis: options.patience_millis,
        },
        stripe: StripeConfig {
            stripe_url: format!("http://{provider}"),
            stripe_api_key: Some(API_KEY.into()),
            stripe_webhook_secret: Some(WEBHOOK_SECRET.into()),
            stripe_timeout_millis: options.patience_millis,
        },
        sweep: SweepConfig {
            sweep_after_millis: options.sweep_after_millis,
            sweep_every_millis: 50,
        },
        reconcile: ReconcileConfig {
            reconcile_every_seconds: options.reconcile_every_seconds,
            reconcile_window_hours: 25,
            reconcile_grace_seconds: 0,
        },
        retention: RetentionConfig {
            webhook_retention_days: 30,
            key_retention_days: 30,
            purge_every_seconds: 1,
        },
        identity_url: platform.identity_url(),
    }
}

pub async fn start_payments(config: Config, shutdown: &Shutdown) -> SocketAddr {
    let app = payments::app::App::build(config, testkit::metrics()).await.expect("it starts");
    let addr = app.grpc_addr().unwrap();
    let shutdown = shutdown.clone();
    tokio::spawn(async move { app.run(shutdown).await.expect("payments runs") });
    addr
}

/// What is to be paid: EUR 10.00.
#[derive(Debug, Clone)]
pub struct Order {
    pub order_id: Uuid,
    pub user_id: Uuid,
    pub token: &'static str,
}

impl Order {
    pub fn by(token: &'static str) -> Self {
        Self { order_id: Uuid::now_v7(), user_id: Uuid::now_v7(), token }
    }

    pub fn request(&self) -> pb::AuthorizeRequest {
        pb::AuthorizeRequest {
            order_id: self.order_id.to_string(),
            user_id: self.user_id.to_string(),
            amount: Some(eur(1_000)),
            payment_token: self.token.to_owned(),
            synthetic: false,
        }
    }
}

/// Euros, from cents.
pub fn eur(cents: i64) -> Money {
    let nanos = i32::try_from(cents % 100).unwrap() * 10_000_000;
    Money { currency_code: "EUR".to_owned(), units: cents / 100, nanos }
}

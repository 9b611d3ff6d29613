//! Everybody signs in at once: how many are let in, and what it costs those who are in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use clap::Parser as _;
use grpc::MeshChannel;
use identity::app::App;
use identity::config::Config;
use identity::core::ports::AuditLog as _;
use identity::domain::{Event, EventKind, Origin};
use identity::infrastructure::PostgresAuditLog;
use proto::identity::v1::identity_service_client::IdentityServiceClient;
use proto::identity::v1::{GetMeRequest, LoginRequest, RegisterRequest};
use runtime::Shutdown;
use testkit::{Platform, TestDatabase, bearer};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::load::{Outcome, closed_loop};
use crate::table;

const PASSWORD: &str = "correct horse battery";
/// Who is signed in and looks at their account.
const READERS: usize = 4;
/// Who signs in, again and again.
const STORM: usize = 64;
/// Who writes into the log of security events at once.
const WRITERS: [usize; 3] = [1, 8, 32];

pub async fn run(lasting: Duration) -> Result<()> {
    let house = House::open().await?;
    table::head("Login storm: Argon2id as in production", "", "share of calm");
    let calm = closed_loop(READERS, lasting, async || house.look().await).await?;
    table::line("GetMe, nobody signs in", READERS, &calm, Some(&calm));
    let served = AtomicUsize::new(0);
    let (stormy, storm) = tokio::join!(
        closed_loop(READERS, lasting, async || house.look().await),
        closed_loop(STORM, lasting, async || house.sign_in(&served).await),
    );
    let (stormy, storm): (Outcome, Outcome) = (stormy?, storm?);
    table::line("GetMe, meanwhile", READERS, &stormy, Some(&calm));
    table::line("Login, let in or told to come back", STORM, &storm, None);
    // The second of warming up counts, too.
    let per_second = served.load(Ordering::SeqCst) as f64 / (lasting.as_secs_f64() + 1.0);
    println!("  {per_second:.1} logins a second were let in.");
    house.record_events(lasting).await
}

struct House {
    client: IdentityServiceClient<MeshChannel>,
    token: String,
    next: Arc<AtomicUsize>,
    _platform: Platform,
    database: TestDatabase,
    shutdown: Shutdown,
}

impl House {
    async fn open() -> Result<Self> {
        let (platform, database) = (Platform::start().await, testkit::database(&[]).await);
        let nowhere = ["--cart-url", "--orders-url", "--payments-url", "--notifications-url"];
        let mut arguments = vec!["identity", "--guesses-per-account", "1000000"];
        arguments.extend(["--sealing-keys", "bench:0123456789abcdef01234567"]);
        for url in nowhere {
            arguments.extend([url, "https://127.0.0.1:1"]);
        }
        let mut config = Config::try_parse_from(with_unused(arguments))?;
        config.host = platform.host("identity");
        config.database = database.config();
        config.broker = events::BrokerConfig { amqp_url: testkit::vhost().await.into() };
        let app = App::build(config, testkit::metrics()).await?;
        let (addr, shutdown) = (app.grpc_addr()?, Shutdown::new());
        tokio::spawn(app.run(shutdown.clone()));
        let mut client = IdentityServiceClient::new(platform.channel("edge", addr, "identity"));
        let mut token = String::new();
        for number in 0..STORM {
            let request = RegisterRequest {
                email: email(number),
                password: PASSWORD.to_owned(),
                display_name: "Ada".to_owned(),
            };
            token = client.register(request).await?.into_inner().access_token;
        }
        let next = Arc::default();
        Ok(Self { client, token, next, _platform: platform, database, shutdown })
    }

    /// Each event needs the hash of the one before, so they come one after the other: the
    /// most sign-ins there can be, were hashing free.
    async fn record_events(&self, lasting: Duration) -> Result<()> {
        table::head("Log of security events: each under the lock of the chain", "", "share of one");
        let log = PostgresAuditLog::new(self.database.pool.clone());
        let origin = Origin { address: Some("192.0.2.1".to_owned()), ..Origin::default() };
        let event = Event::of(EventKind::LoginSucceeded, Uuid::now_v7(), types::now(), &origin);
        let mut alone = None;
        for writers in WRITERS {
            let outcome =
                closed_loop(writers, lasting, async || Ok(log.record(&event).await?)).await?;
            table::line("an event", writers, &outcome, alone.as_ref());
            alone.get_or_insert(outcome);
        }
        Ok(())
    }

    async fn look(&self) -> Result<()> {
        self.client.clone().get_me(bearer(GetMeRequest {}, &self.token)).await?;
        Ok(())
    }

    async fn sign_in(&self, served: &AtomicUsize) -> Result<()> {
        let email = email(self.next.fetch_add(1, Ordering::Relaxed) % STORM);
        let (password, one_time_code) = (PASSWORD.to_owned(), String::new());
        let request = LoginRequest { email, password, one_time_code };
        match self.client.clone().login(request).await {
            Ok(_) => drop(served.fetch_add(1, Ordering::Relaxed)),
            Err(status) => come_back(status).await?,
        }
        Ok(())
    }
}

/// As a client does that is told to.
async fn come_back(status: Status) -> Result<()> {
    if status.code() != Code::ResourceExhausted {
        return Err(status.into());
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

fn email(number: usize) -> String {
    format!("ada{number}@example.com")
}

/// What is required on the command line and replaced afterwards.
fn with_unused(mut arguments: Vec<&str>) -> Vec<&str> {
    for name in ["--mesh-cert", "--mesh-key", "--mesh-ca"] {
        arguments.extend([name, "unused"]);
    }
    arguments.extend(["--database-url", "postgres://unused", "--amqp-url", "amqp://unused"]);
    arguments
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

//! The provider dies in between: a real process, ended with SIGKILL. Only the sandbox
//! can be killed.

use std::net::SocketAddr;
use std::process::Stdio;

use clap::Parser;
use payments::config::ProviderKind;
use runtime::Shutdown;
use testkit::reason;
use tokio::process::{Child, Command};

use crate::bank::Bank;
use crate::world::{Options, Order, World, sandbox_config};

/// Where the settings of the sandbox stand, in the environment of the process that
/// is to be the sandbox; separated by lines.
const ARGUMENTS: &str = "STOA_TEST_SANDBOX";

/// Not a test: what the process does that plays the provider.
#[tokio::test]
#[ignore = "a process of its own"]
async fn the_sandbox_itself() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let config = sandbox::config::Config::parse_from(arguments.lines());
    let app = sandbox::app::App::build(config, testkit::metrics()).await.expect("it starts");
    app.run(Shutdown::new()).await.expect("it runs");
}

struct Process {
    arguments: String,
    addr: SocketAddr,
    child: Child,
}

impl Process {
    /// Ends the sandbox inside this process's world, and starts a real one in its
    /// place: on another port, with the same tables.
    async fn of(world: &World) -> Self {
        let Bank::Sandbox { database, .. } = &world.bank else { panic!("not the sandbox") };
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let arguments = sandbox_config(database, world.door.addr, &free.to_string(), 0).join("\n");
        let process = Self { child: spawn(&arguments), arguments, addr: free };
        process.is_up().await;
        world.road.lead_to(free);
        process
    }

    async fn kill(&mut self) {
        self.child.kill().await.expect("SIGKILL");
    }

    async fn again(&mut self) {
        self.child = spawn(&self.arguments);
        self.is_up().await;
    }

    async fn is_up(&self) {
        testkit::eventually("the sandbox listens", async || {
            tokio::net::TcpStream::connect(self.addr).await.ok().map(drop)
        })
        .await;
    }
}

fn spawn(arguments: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "matrix::restart::the_sandbox_itself"])
        .env(ARGUMENTS, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("this program again")
}

async fn world() -> World {
    let provider = ProviderKind::Sandbox;
    World::with(Options { provider, sweep_after_millis: 2_000, ..Options::default() }).await
}

async fn unavailable<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) {
    assert_eq!(reason(&answer.expect_err("it is dead")), "PROVIDER_UNAVAILABLE");
}

#[tokio::test]
async fn the_provider_is_killed_between_the_steps() {
    let world = world().await;
    let mut provider = Process::of(&world).await;
    let order = Order::by("tok_visa");
    world.authorize(&order).await.unwrap();
    provider.kill().await;
    unavailable(world.capture(&order).await).await;
    provider.again().await;
    world.capture(&order).await.unwrap();
    provider.kill().await;
    unavailable(world.reverse(&order).await).await;
    provider.again().await;
    world.reverse(&order).await.unwrap();
    world.ends_as(&order, "refunded", "refunded", &["authorized", "captured", "refunded"]).await;
}

/// It has charged, and dies before it answers.
#[tokio::test]
async fn the_provider_is_killed_while_it_charges() {
    let world = world().await;
    let mut provider = Process::of(&world).await;
    let order = Order::by("tok_timeout");
    let (answer, ()) = tokio::join!(world.authorize(&order), async {
        world.bank_has("authorized").await;
        provider.kill().await;
    });
    unavailable(answer).await;
    assert_eq!(world.state(&order).await, "pending");
    provider.again().await;
    world.becomes(&order, "authorized").await;
    world.ends_as(&order, "authorized", "authorized", &["authorized"]).await;
}

/// Twenty payments, and the provider is killed five times meanwhile.
#[tokio::test]
async fn the_provider_is_killed_again_and_again() {
    let world = world().await;
    let mut provider = Process::of(&world).await;
    let orders: Vec<Order> = (0..20).map(|_| Order::by("tok_visa")).collect();
    let paying = futures::future::join_all(orders.iter().map(async |order| {
        testkit::eventually("authorized", async || world.authorize(order).await.ok()).await;
        testkit::eventually("captured", async || world.capture(order).await.ok()).await;
        testkit::eventually("reversed", async || world.reverse(order).await.ok()).await;
    }));
    let killing = async {
        for round in 1..=5 {
            testkit::eventually("some more are charged", async || {
                (world.bank.charges().await.len() >= 4 * round).then_some(())
            })
            .await;
            provider.kill().await;
            provider.again().await;
        }
    };
    tokio::join!(paying, killing);
    assert_eq!(world.charges().await, vec![("refunded".to_owned(), 1_000); 20]);
    world.money_agrees().await;
}

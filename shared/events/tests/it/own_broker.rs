//! A broker of the test's own, which it kills and fills up.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use stack::{Ports, Quiet, Stores};
use testkit::eventually;

use crate::world::{Failing, Running, World, pair};

/// A broker takes seconds to start, many on a crowded machine.
const PATIENCE: Duration = Duration::from_secs(90);

struct Server {
    stores: Stores,
    state: PathBuf,
    ports: Ports,
}

impl Server {
    async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let (state, ports) = (root.join(".stoa/events"), Ports::free().unwrap());
        let stores = Stores::start(&state, ports.clone(), &mut Quiet).await.unwrap();
        Self { stores, state: state.canonicalize().unwrap(), ports }
    }

    fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// Above this share of the machine's memory publishers are blocked.
    fn set_watermark(&self, share: &str) {
        let home = self.state.join("rabbitmq");
        let output = Command::new("/usr/lib/rabbitmq/bin/rabbitmqctl")
            .args(["-n", "stoa@localhost", "set_vm_memory_high_watermark", share])
            .env("HOME", &home)
            .env("ERL_EPMD_PORT", self.ports.epmd.to_string())
            .env("RABBITMQ_CONF_ENV_FILE", home.join("no-env.conf"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

async fn until(expected: &str, holds: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "expected within {PATIENCE:?}: {expected}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_everything_took_effect(world: &World, count: usize) {
    until("every effect", async || world.effects().await.len() >= count).await;
    until("an empty outbox", async || world.unsent().await == 0).await;
}

async fn stop_in_time(running: Running) {
    tokio::time::timeout(Duration::from_secs(20), running.stop()).await.expect("it hangs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_or_full_delays_facts_and_loses_none() {
    let server = Server::start().await;
    let world = World::with_broker(server.url()).await;
    let (relay, consumer) = (world.relay(), world.consumer(&Failing::default()));

    // Killed while facts are on their way, and started again.
    let publishing = async {
        for number in 0..200 {
            world.publish(&format!("o-{}", number % 7), &number.to_string()).await;
        }
    };
    let killing = async {
        world.until_effects(50).await;
        server.stores.kill("rabbitmq").unwrap();
    };
    tokio::join!(publishing, killing);
    let both_down = || (!relay.health.is_up() && !consumer.health.is_up()).then_some(());
    eventually("both know that the broker is away", async || both_down()).await;
    assert!(world.unsent().await > 0);
    server.stores.restart("rabbitmq").unwrap();
    until_everything_took_effect(&world, 200).await;
    assert_eq!(world.effects().await.len(), 200);

    // Out of memory: it takes nothing, and says so.
    server.set_watermark("0.00001");
    world.publish("o-1", "while it is full").await;
    eventually("a relay that knows", async || (!relay.health.is_up()).then_some(())).await;
    assert_eq!(world.unsent().await, 1);
    stop_in_time(relay).await;
    let relay = world.relay();
    world.publish("o-1", "and another").await;
    server.set_watermark("0.4");
    until_everything_took_effect(&world, 202).await;
    let last = world.effects().await.split_off(200);
    assert_eq!(last, [pair("o-1", "while it is full"), pair("o-1", "and another")]);
    stop_in_time(relay).await;
    stop_in_time(consumer).await;
}

//! When a store goes away and comes back.

use std::collections::HashMap;
use std::time::Duration;

use testkit::{Way, eventually};

use crate::broker::delete_queue;
use crate::door::broker_behind_door;
use crate::world::{Failing, QUEUE, World, broker_at, pair};

const FACTS: usize = 300;

async fn publish_many(world: &World) {
    for number in 0..FACTS {
        world.publish(&format!("o-{}", number % 7), &number.to_string()).await;
    }
}

/// Every fact took effect once, and those of a key in order.
async fn assert_all_once_in_order(world: &World) {
    world.until_effects(FACTS).await;
    world.until_all_sent().await;
    let effects = world.effects().await;
    assert_eq!(effects.len(), FACTS);
    let mut last: HashMap<String, usize> = HashMap::new();
    for (key, body) in effects {
        let number: usize = body.parse().unwrap();
        let before = last.insert(key, number);
        assert!(before.is_none_or(|b| b < number), "{number} came after {before:?}");
    }
}

#[tokio::test]
async fn cut_connections_lose_nothing_and_double_nothing() {
    let world = World::new().await;
    let (door, config) = broker_behind_door(&world, Way::Open).await;
    let _relay = world.relay_at(config.clone());
    let _consumer = world.consumer_at(config, &Failing::default());
    let cutting = async {
        for part in 1..=4 {
            world.until_effects(FACTS * part / 5).await;
            door.cut();
        }
    };
    tokio::join!(publish_many(&world), cutting);
    assert_all_once_in_order(&world).await;
    // The two, and one more for each cut at least.
    assert!(door.entered() >= 6, "{} connections", door.entered());
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_noticed_and_loses_nothing() {
    let world = World::new().await;
    let (door, config) = broker_behind_door(&world, Way::Open).await;
    let relay = world.relay_at(config.clone());
    let consumer = world.consumer_at(config, &Failing::default());
    world.publish("o-1", "before").await;
    world.until_effects(1).await;
    door.set(Way::Hole);
    // Nobody publishes: only the missing heartbeats can tell.
    let both_down = || (!relay.health.is_up() && !consumer.health.is_up()).then_some(());
    eventually("both know that the broker is away", async || both_down()).await;
    world.publish("o-1", "meanwhile").await;
    door.set(Way::Open);
    assert_eq!(world.until_effects(2).await, [pair("o-1", "before"), pair("o-1", "meanwhile")]);
    world.until_all_sent().await;
    // Both end in good time also while nothing passes.
    door.set(Way::Hole);
    world.publish("o-1", "too late").await;
    let stopped = async { tokio::join!(relay.stop(), consumer.stop()) };
    tokio::time::timeout(Duration::from_secs(15), stopped).await.expect("they hang");
}

#[tokio::test]
async fn a_database_that_ends_its_sessions_loses_nothing_and_doubles_nothing() {
    let world = World::new().await;
    publish_many(&world).await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    for part in 1..=3 {
        world.until_effects(FACTS * part / 5).await;
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()";
        sqlx::query(end).execute(world.pool()).await.unwrap();
    }
    assert_all_once_in_order(&world).await;
}

#[tokio::test]
async fn facts_wait_for_a_broker_that_cannot_be_reached() {
    let world = World::new().await;
    let (door, config) = broker_behind_door(&world, Way::Shut).await;
    let relay = world.relay_at(config);
    world.publish("o-1", "taken all the same").await;
    assert!(!relay.health.is_up());
    assert_eq!(world.unsent().await, 1);

    door.set(Way::Open);
    world.until_all_sent().await;
    assert!(relay.health.is_up());
    let _consumer = world.consumer(&Failing::default());
    assert_eq!(world.until_effects(1).await, [pair("o-1", "taken all the same")]);
    relay.stop().await;
}

#[tokio::test]
async fn a_fact_that_no_queue_takes_is_published_again() {
    let world = World::new().await;
    let relay = world.relay();
    world.publish("o-0", "before").await;
    world.until_all_sent().await;
    delete_queue(&world, QUEUE).await;
    world.publish("o-1", "first").await;
    world.publish("o-1", "second").await;
    world.until_all_sent().await;
    let _consumer = world.consumer(&Failing::default());
    let effects = world.until_effects(2).await;
    assert_eq!(effects, [pair("o-1", "first"), pair("o-1", "second")]);
    relay.stop().await;
}

#[tokio::test]
async fn another_relay_takes_over_from_one_that_stops() {
    let world = World::new().await;
    let (first, _second) = (world.relay(), world.relay());
    world.publish("o-1", "first").await;
    world.until_all_sent().await;
    first.stop().await;
    world.publish("o-1", "second").await;
    world.until_all_sent().await;
    let _consumer = world.consumer(&Failing::default());
    assert_eq!(world.until_effects(2).await, [pair("o-1", "first"), pair("o-1", "second")]);
}

#[tokio::test]
async fn a_consumer_without_a_broker_keeps_trying() {
    let world = World::new().await;
    let config = broker_at("amqp://nobody:nothing@127.0.0.1:1/none");
    let consumer = events::Consumer::new("notifications", world.pool().clone(), config);
    let shutdown = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(consumer.run(shutdown.clone()));
    let waited = tokio::time::timeout(Duration::from_millis(300), async {
        eventually("never", async || running.is_finished().then_some(())).await;
    });
    assert!(waited.await.is_err(), "it gave up");
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

//! When nothing goes wrong.

use std::collections::HashMap;

use proto::orders::v1::OrderFailed;
use testkit::eventually;
use tokio_util::sync::CancellationToken;

use crate::broker::take;
use crate::world::{Failing, QUEUE, World, fact, pair};

#[tokio::test]
async fn a_committed_fact_takes_effect_once() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    world.publish("o-1", "declined").await;
    world.publish("o-1", "the next one").await;
    let effects = world.until_effects(2).await;
    assert_eq!(effects, [pair("o-1", "declined"), pair("o-1", "the next one")]);
}

#[tokio::test]
async fn a_rolled_back_fact_is_never_published() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    let mut tx = postgres::begin(world.pool()).await.unwrap();
    events::publish(&mut tx, &fact("o-1", "never happened")).await.unwrap();
    tx.rollback().await.unwrap();
    world.publish("o-1", "happened").await;
    assert_eq!(world.until_effects(1).await, [pair("o-1", "happened")]);
}

#[tokio::test]
async fn a_fact_waits_for_a_consumer_that_never_ran() {
    let world = World::new().await;
    world.publish("o-1", "early").await;
    let relay = world.relay();
    world.until_all_sent().await;
    relay.stop().await;
    let consumer = world.consumer(&Failing::default());
    assert_eq!(world.until_effects(1).await, [pair("o-1", "early")]);
    consumer.stop().await;
}

#[tokio::test]
async fn a_fact_delivered_twice_takes_effect_once() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    world.publish("o-1", "once").await;
    world.until_effects(1).await;
    world.until_all_sent().await;
    // As if the relay had died between the broker's confirm and writing it down.
    sqlx::query("update outbox set sent_at = null").execute(world.pool()).await.unwrap();
    world.until_all_sent().await;
    world.publish("o-1", "last").await;
    assert_eq!(world.until_effects(2).await, [pair("o-1", "once"), pair("o-1", "last")]);
}

#[tokio::test]
async fn a_message_carries_cloud_events_attributes() {
    let world = World::new().await;
    let relay = world.relay();
    let id = world.publish("o-1", "declined").await;
    let letter = eventually("the message", async || take(&world, QUEUE).await).await;
    let header = |name: &str| letter.headers[name].as_str();
    assert_eq!(header("cloudEvents:id"), id.to_string());
    assert_eq!(header("cloudEvents:specversion"), "1.0");
    assert_eq!(header("cloudEvents:type"), "orders.v1.order_failed");
    assert_eq!(header("cloudEvents:source"), "/stoa/orders");
    assert_eq!(header("cloudEvents:subject"), "o-1");
    assert_eq!(header("cloudEvents:dataschema"), "stoa.orders.v1.OrderFailed");
    assert!(header("cloudEvents:time").contains('T'));
    let decoded: OrderFailed = prost::Message::decode(letter.payload.as_slice()).unwrap();
    assert_eq!(decoded, fact("o-1", "declined"));
    relay.stop().await;
}

#[tokio::test]
async fn facts_of_one_aggregate_arrive_in_order_while_relays_come_and_go() {
    const KEYS: usize = 8;
    const EACH: usize = 60;
    let world = World::new().await;
    let _consumer = world.consumer(&Failing::default());
    let (first, _second) = (world.relay(), world.relay());
    let publishing = (0..KEYS).map(async |key| {
        for number in 0..EACH {
            world.publish(&format!("o-{key}"), &number.to_string()).await;
        }
    });
    let handover = async {
        world.until_effects(KEYS * EACH / 4).await;
        first.stop().await;
    };
    tokio::join!(futures::future::join_all(publishing), handover);
    let mut next: HashMap<String, usize> = HashMap::new();
    for (key, body) in world.until_effects(KEYS * EACH).await {
        let expected = next.entry(key).or_default();
        assert_eq!(body, expected.to_string());
        *expected += 1;
    }
    assert_eq!(next.into_values().collect::<Vec<_>>(), [EACH; KEYS]);
}

#[tokio::test]
async fn a_fact_without_consumers_counts_as_published() {
    let world = World::new().await;
    let _relay = world.relay();
    let placed = proto::orders::v1::OrderPlaced::default();
    let mut conn = world.pool().acquire().await.unwrap();
    events::publish(&mut conn, &placed).await.unwrap();
    world.until_all_sent().await;
}

#[tokio::test]
async fn a_consumer_that_the_contract_does_not_name_is_refused() {
    let world = World::new().await;
    let consumer = events::Consumer::new("catalog", world.pool().clone(), world.config())
        .on::<OrderFailed, _>(crate::world::Recorder(Failing::default()));
    let error = consumer.run(CancellationToken::new()).await.unwrap_err();
    let expected = "the contract does not name catalog as a consumer of orders.v1.order_failed";
    assert_eq!(error.to_string(), expected);
}

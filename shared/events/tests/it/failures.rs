//! When handlers fail and messages are wrong.

use testkit::eventually;

use crate::broker::{Letter, put, take};
use crate::world::{Failing, QUEUE, TOPIC, World, pair};

async fn dead_letter(world: &World) -> Letter {
    let queue = events::dead_letter_queue(QUEUE);
    eventually("a dead letter", async || take(world, &queue).await).await
}

#[tokio::test]
async fn a_failing_handler_is_tried_again_and_keeps_the_order_of_its_key() {
    let world = World::new().await;
    let _consumer = world.consumer(&Failing::times(3));
    let _relay = world.relay();
    world.publish("o-1", "first").await;
    world.publish("o-1", "second").await;
    let effects = world.until_effects(2).await;
    assert_eq!(effects, [pair("o-1", "first"), pair("o-1", "second")]);
}

#[tokio::test]
async fn a_handler_that_keeps_failing_leaves_a_dead_letter_with_the_reason() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::always()));
    let id = world.publish("o-1", "declined").await;
    let letter = dead_letter(&world).await;
    assert_eq!(letter.headers["stoa-error"], "the mail server says no");
    assert_eq!(letter.headers["stoa-attempts"], "8");
    assert_eq!(letter.headers["cloudEvents:id"], id.to_string());
    assert!(world.effects().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_understood_is_a_dead_letter_at_once() {
    let world = World::new().await;
    let consumer = world.consumer(&Failing::default());
    consumer.until_up().await;
    let id = uuid::Uuid::now_v7().to_string();
    let headers = [
        ("cloudEvents:specversion", "1.0"),
        ("cloudEvents:id", id.as_str()),
        ("cloudEvents:type", TOPIC),
        ("cloudEvents:source", "/stoa/orders"),
        ("cloudEvents:time", "2026-01-01T00:00:00Z"),
        ("cloudEvents:subject", "o-1"),
    ];
    put(&world, QUEUE, &headers, &[0xff]).await;
    let letter = dead_letter(&world).await;
    let reason = &letter.headers["stoa-error"];
    assert!(reason.starts_with("the payload is undecodable"), "{reason}");
    assert_eq!(letter.headers["stoa-attempts"], "1");
    assert_eq!(letter.payload, [0xff]);

    put(&world, QUEUE, &[("cloudEvents:specversion", "1.0")], b"").await;
    let letter = dead_letter(&world).await;
    assert_eq!(letter.headers["stoa-error"], "no cloudEvents:id");
    consumer.stop().await;
}

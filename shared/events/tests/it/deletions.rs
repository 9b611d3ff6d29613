//! When somebody deletes at the broker what services use.

use testkit::eventually;

use crate::broker::{delete_exchange, delete_queue, state, take};
use crate::world::{Failing, QUEUE, World, pair};

#[tokio::test]
async fn a_queue_deleted_under_its_consumer_is_declared_and_consumed_again() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    world.publish("o-1", "before").await;
    world.until_effects(1).await;
    delete_queue(&world, QUEUE).await;
    world.publish("o-1", "after").await;
    assert_eq!(world.until_effects(2).await, [pair("o-1", "before"), pair("o-1", "after")]);
}

#[tokio::test]
async fn a_consumer_whose_queue_is_deleted_declares_it_without_the_help_of_a_relay() {
    let world = World::new().await;
    let consumer = world.consumer(&Failing::default());
    consumer.until_up().await;
    delete_queue(&world, QUEUE).await;
    eventually("its subscription", async || {
        state(&world, QUEUE).await.filter(|(_, consumers)| *consumers == 1)
    })
    .await;
    consumer.stop().await;
}

#[tokio::test]
async fn a_deleted_exchange_is_declared_and_bound_again() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    world.publish("o-1", "before").await;
    world.until_effects(1).await;
    // The next publish makes the broker close the relay's channel.
    delete_exchange(&world, "stoa.events").await;
    world.publish("o-1", "after").await;
    world.publish("o-2", "also").await;
    let effects = world.until_effects(3).await;
    assert!(effects.contains(&pair("o-1", "after")) && effects.contains(&pair("o-2", "also")));
    world.until_all_sent().await;
}

#[tokio::test]
async fn a_dead_letter_waits_for_its_exchange_to_be_declared_again() {
    let world = World::new().await;
    let (_relay, consumer) = (world.relay(), world.consumer(&Failing::always()));
    consumer.until_up().await;
    delete_exchange(&world, "stoa.dead").await;
    let id = world.publish("o-1", "declined").await;
    let dead = events::dead_letter_queue(QUEUE);
    let letter = eventually("a dead letter", async || take(&world, &dead).await).await;
    assert_eq!(letter.headers["cloudEvents:id"], id.to_string());
}

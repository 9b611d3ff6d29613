//! What operators see of dead letters, and what they do with them.

use std::time::{Duration, Instant};

use events::{DeadLettersError, Letter, Redrive, Redriven};
use testkit::eventually;
use uuid::Uuid;

use crate::broker::waiting;
use crate::world::{Failing, QUEUE, TOPIC, World, pair};

fn redrive(seconds: u64) -> Redrive {
    let until = Instant::now() + Duration::from_secs(seconds);
    Redrive { actor: Uuid::now_v7(), why: "the mail server is back".to_owned(), until }
}

async fn until_dead(world: &World, count: u32) {
    let dead = events::dead_letter_queue(QUEUE);
    eventually("dead letters", async || (waiting(world, &dead).await == count).then_some(())).await;
}

async fn written_down(world: &World) -> Vec<(Uuid, String, String, String, String)> {
    let actions = "select actor, action, target, why, outcome from operator_actions order by id";
    sqlx::query_as(actions).fetch_all(world.pool()).await.unwrap()
}

#[tokio::test]
async fn dead_letters_are_counted_and_looked_at_without_being_taken() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::always()));
    let first = world.publish("o-1", "one").await;
    until_dead(&world, 1).await;
    world.publish("o-2", "two").await;
    until_dead(&world, 2).await;
    for _ in 0..2 {
        let queues = world.dead_letters().list(Some(TOPIC), 1).await.unwrap();
        assert_eq!((queues.len(), queues[0].topic, queues[0].count), (1, TOPIC, 2));
        let [Letter { event_id, key, reason, attempts, time }] = queues[0].letters.as_slice()
        else {
            panic!("not one letter: {queues:?}")
        };
        let first = (first.to_string(), "o-1", "the mail server says no", 8);
        assert_eq!((event_id.clone(), key.as_str(), reason.as_str(), *attempts), first);
        assert!(time.is_some());
    }
    let all = world.dead_letters().list(None, 0).await.unwrap();
    let counted: Vec<_> = all.iter().filter(|q| q.count > 0).map(|q| (q.topic, q.count)).collect();
    assert!(all.len() > 1 && all.iter().all(|q| q.letters.is_empty()));
    assert_eq!(counted, [(TOPIC, 2)]);
}

#[tokio::test]
async fn redrive_puts_dead_letters_back_and_writes_down_who_and_why() {
    let world = World::new().await;
    let failing = Failing::always();
    let (_relay, _consumer) = (world.relay(), world.consumer(&failing));
    world.publish("o-1", "one").await;
    world.publish("o-2", "two").await;
    until_dead(&world, 2).await;
    failing.stop();
    let deed = redrive(60);
    let redriven = world.dead_letters().redrive(TOPIC, &deed).await.unwrap();
    assert_eq!(redriven, Redriven { moved: 2, left: 0 });
    let mut effects = world.until_effects(2).await;
    effects.sort();
    assert_eq!(effects, [pair("o-1", "one"), pair("o-2", "two")]);
    until_dead(&world, 0).await;
    let expected = (
        deed.actor,
        "facts.redrive".to_owned(),
        events::dead_letter_queue(QUEUE),
        deed.why.clone(),
        "2 to be put back".to_owned(),
    );
    assert_eq!(written_down(&world).await, [expected]);
}

#[tokio::test]
async fn a_redrive_that_cannot_be_written_down_moves_nothing() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::always()));
    world.publish("o-1", "one").await;
    until_dead(&world, 1).await;
    sqlx::query("drop table operator_actions").execute(world.pool()).await.unwrap();
    let refused = world.dead_letters().redrive(TOPIC, &redrive(60)).await.unwrap_err();
    assert!(matches!(refused, DeadLettersError::Database(_)), "{refused}");
    until_dead(&world, 1).await;
}

#[tokio::test]
async fn a_redrive_without_time_leaves_everything_and_says_so() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::always()));
    world.publish("o-1", "one").await;
    until_dead(&world, 1).await;
    let redriven = world.dead_letters().redrive(TOPIC, &redrive(0)).await.unwrap();
    assert_eq!(redriven, Redriven { moved: 0, left: 1 });
    until_dead(&world, 1).await;
}

#[tokio::test]
async fn only_queues_of_the_contract_are_redriven() {
    let world = World::new().await;
    let dead_letters = world.dead_letters();
    let error = dead_letters.redrive("orders.v1.nothing", &redrive(60)).await.unwrap_err();
    let expected = "the contract does not name notifications as a consumer of orders.v1.nothing";
    assert_eq!(error.to_string(), expected);
    assert!(written_down(&world).await.is_empty());
}

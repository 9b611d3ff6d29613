//! What operators see of dead letters, and what they do with them.

use proto::Fact;
use proto::notifications::v1::{ListDeadLettersRequest, RedriveDeadLettersRequest};
use proto::orders::v1::OrderFailed;
use testkit::{bearer, eventually, reason};
use tonic::{Code, Request};
use uuid::Uuid;

use crate::world::World;

const TOPIC: &str = OrderFailed::INFO.topic;

fn list(topic: &str, peek: i32) -> ListDeadLettersRequest {
    ListDeadLettersRequest { topic: topic.to_owned(), peek }
}

fn redrive(topic: &str, reason: &str) -> RedriveDeadLettersRequest {
    RedriveDeadLettersRequest { topic: topic.to_owned(), reason: reason.to_owned() }
}

impl World {
    fn as_admin<T>(&self, admin: Uuid, message: T) -> Request<T> {
        bearer(message, &self.platform.token(admin, &["admin"]))
    }
}

#[tokio::test]
async fn an_operator_looks_at_dead_letters_and_puts_them_back_with_a_reason() {
    let (world, admin) = (World::start().await, Uuid::now_v7());
    let schema = OrderFailed::INFO.schema;
    world.publish_bytes(TOPIC, "o-1", schema, vec![0xff]).await;
    let queue = eventually("a dead letter", async || {
        let request = world.as_admin(admin, list(TOPIC, 5));
        let queues = world.operators().list_dead_letters(request).await.unwrap().into_inner();
        let [queue] = queues.queues.try_into().unwrap();
        (queue.count == 1).then_some(queue)
    })
    .await;
    assert_eq!((queue.topic.as_str(), queue.letters.len()), (TOPIC, 1));
    let letter = &queue.letters[0];
    assert_eq!((letter.key.as_str(), letter.attempts), ("o-1", 1));
    assert!(letter.reason.starts_with("the payload is undecodable"), "{}", letter.reason);

    let request = world.as_admin(admin, redrive(TOPIC, "it was repaired"));
    let answer = world.operators().redrive_dead_letters(request).await.unwrap().into_inner();
    assert_eq!((answer.redriven, answer.left), (1, 0));
    let written: Vec<(Uuid, String, String)> =
        sqlx::query_as("select actor, target, why from operator_actions")
            .fetch_all(world.pool())
            .await
            .unwrap();
    let dead = events::dead_letter_queue(&events::queue("notifications", TOPIC));
    assert_eq!(written, [(admin, dead, "it was repaired".to_owned())]);
}

#[tokio::test]
async fn every_consumed_topic_is_counted_and_unknown_ones_are_refused() {
    let (world, admin) = (World::start().await, Uuid::now_v7());
    let request = world.as_admin(admin, list("", 0));
    let all = world.operators().list_dead_letters(request).await.unwrap().into_inner().queues;
    assert_eq!(all.len(), 7);
    assert!(all.iter().all(|queue| queue.count == 0 && queue.letters.is_empty()));

    let request = world.as_admin(admin, list("orders.v1.order_placed", 0));
    let unknown = world.operators().list_dead_letters(request).await.unwrap_err();
    assert_eq!((unknown.code(), reason(&unknown)), (Code::NotFound, "TOPIC_NOT_FOUND".to_owned()));
    let request = world.as_admin(admin, redrive("orders.v1.order_placed", "why not"));
    let unknown = world.operators().redrive_dead_letters(request).await.unwrap_err();
    assert_eq!((unknown.code(), reason(&unknown)), (Code::NotFound, "TOPIC_NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn dead_letters_are_for_admins_who_say_why() {
    let (world, admin) = (World::start().await, Uuid::now_v7());
    for role in ["customer", "manager"] {
        let token = world.platform.token(Uuid::now_v7(), &[role]);
        let seen = world.operators().list_dead_letters(bearer(list("", 0), &token)).await;
        assert_eq!(reason(&seen.unwrap_err()), "PERMISSION_DENIED", "{role}");
        let request = bearer(redrive(TOPIC, "let me"), &token);
        let moved = world.operators().redrive_dead_letters(request).await;
        assert_eq!(reason(&moved.unwrap_err()), "PERMISSION_DENIED", "{role}");
    }
    let request = world.as_admin(admin, redrive(TOPIC, ""));
    let refused = world.operators().redrive_dead_letters(request).await.unwrap_err();
    assert_eq!(reason(&refused), "VALIDATION_FAILED");
}

//! What the rest of the platform is told.

use prost::Message;
use proto::Fact as _;
use proto::identity::v1::{SecurityEventRecorded, UserRegistered};
use testkit::eventually;

use crate::world::{ADMIN_EMAIL, PASSWORD, World, broker, login, me, refresh, register};

async fn registered(world: &World) -> Vec<UserRegistered> {
    let facts: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select topic, payload from outbox order by position")
            .fetch_all(world.pool())
            .await
            .unwrap();
    let registered = facts.into_iter().filter(|(topic, _)| topic == UserRegistered::INFO.topic);
    registered.map(|(_, payload)| UserRegistered::decode(payload.as_slice()).unwrap()).collect()
}

#[tokio::test]
async fn every_registration_is_told_once_and_a_refused_one_never() {
    let world = World::start().await;
    let client = world.client();
    let session = world.register("Ada@example.com").await;
    register(&client, "ada@example.com").await.expect_err("taken");
    register(&client, "no address").await.expect_err("invalid");
    login(&client, "ada@example.com", PASSWORD).await.unwrap();
    refresh(&client, &session.refresh_token).await.unwrap();

    let facts = registered(&world).await;
    let emails: Vec<_> = facts.iter().map(|fact| fact.email.as_str()).collect();
    assert_eq!(emails, [ADMIN_EMAIL, "Ada@example.com"]);
    assert_eq!(facts[1].user_id, session.user.unwrap().user_id);
    assert_eq!(facts[1].display_name, "Ada Lovelace");
}

#[tokio::test]
async fn only_events_that_somebody_is_told_of_are_published_and_the_log_has_all() {
    let world = World::start().await;
    let client = world.client();
    let session = world.register("ada@example.com").await;
    login(&client, "ada@example.com", "not the password").await.expect_err("wrong");
    login(&client, "ada@example.com", PASSWORD).await.unwrap();
    refresh(&client, &session.refresh_token).await.unwrap();
    refresh(&client, &session.refresh_token).await.expect_err("used twice");
    let facts: Vec<Vec<u8>> = sqlx::query_scalar("select payload from outbox where topic = $1")
        .bind(SecurityEventRecorded::INFO.topic)
        .fetch_all(world.pool())
        .await
        .unwrap();
    let kind = |fact: &Vec<u8>| SecurityEventRecorded::decode(fact.as_slice()).unwrap().kind;
    assert_eq!(facts.iter().map(kind).collect::<Vec<_>>(), ["sessions.revoked"]);
    let logged: Vec<String> =
        sqlx::query_scalar("select kind from security_events order by sequence")
            .fetch_all(world.pool())
            .await
            .unwrap();
    let expected = [
        "account.registered",
        "account.registered",
        "login.failed",
        "login.succeeded",
        "sessions.revoked",
    ];
    assert_eq!(logged, expected);
}

#[tokio::test]
async fn a_registration_reaches_the_broker() {
    let world = World::start().await;
    world.register("ada@example.com").await;
    eventually("both accounts' facts are confirmed by the broker", async || {
        let sql = "select count(*) from outbox where sent_at is not null and topic = $1";
        let sent: i64 = sqlx::query_scalar(sql)
            .bind(UserRegistered::INFO.topic)
            .fetch_one(world.pool())
            .await
            .unwrap();
        (sent == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_a_broker_people_still_register_and_sign_in() {
    // Port 1 answers nobody.
    let nowhere = broker("amqp://guest:guest@127.0.0.1:1");
    let world = World::start_with(|config| config.broker = nowhere).await;
    let session = world.register("ada@example.com").await;
    assert!(me(&world.client(), &session.access_token).await.is_ok());
    assert_eq!(registered(&world).await.len(), 2);
}

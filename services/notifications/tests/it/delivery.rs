//! Handing e-mails over, when all goes well and when not.

use std::collections::HashSet;

use notifications::core::ports::Deliveries;
use notifications::domain::Verdict;
use notifications::infrastructure::PostgresDeliveries;
use proto::notifications::v1::{DeliveryState, NotificationKind};
use testkit::eventually;
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::world::{FAILED, WELCOME, World, failed, registered};

#[tokio::test]
async fn a_mail_that_the_server_refuses_for_now_is_tried_again() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    world.smtp.once("451 4.3.0 try again later");
    world.publish(&registered(user, "Ada")).await;
    let told = world.told_as(user, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert_eq!(world.attempts(&told).await, 2);
    assert_eq!(world.smtp.received().len(), 1);
}

#[tokio::test]
async fn a_mail_that_the_server_refuses_too_often_is_given_up() {
    let world = World::start_with(|config| config.mail_max_attempts = 2).await;
    let user = Uuid::now_v7();
    world.smtp.always("451 4.3.0 try again later");
    world.publish(&registered(user, "Ada")).await;
    let told = world.told_as(user, NotificationKind::Welcome, DeliveryState::Failed).await;
    assert_eq!(world.attempts(&told).await, 2);
    assert!(world.smtp.received().is_empty());
}

#[tokio::test]
async fn a_mail_that_the_server_refuses_for_good_is_given_up_and_others_are_not() {
    let (world, user, other) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    world.smtp.once("550 5.1.1 no such mailbox");
    world.publish(&registered(user, "Ada")).await;
    let told = world.told_as(user, NotificationKind::Welcome, DeliveryState::Failed).await;
    assert_eq!(world.attempts(&told).await, 1);
    let error: String = sqlx::query_scalar("select last_error from deliveries")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert!(error.contains("no such mailbox"), "{error}");

    world.publish(&registered(other, "Grace")).await;
    world.told_as(other, NotificationKind::Welcome, DeliveryState::Sent).await;
}

#[tokio::test]
async fn an_outage_of_the_mail_server_costs_no_attempt_and_leaves_the_service_ready() {
    let world = World::start_with(|config| config.mail_max_attempts = 1).await;
    let user = Uuid::now_v7();
    world.smtp.greet("421 4.3.2 closed for now");
    world.publish(&registered(user, "Ada")).await;
    // An attempt and a probe, twice over.
    let tried_twice = async || (world.smtp.connections() > 3).then_some(());
    eventually("two attempts", tried_twice).await;
    let told = world.told_as(user, NotificationKind::Welcome, DeliveryState::Pending).await;
    eventually("ready", async || ready(&world).await.then_some(())).await;

    world.smtp.welcome_again();
    world.told_as(user, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert_eq!(world.attempts(&told).await, 1);
}

#[tokio::test]
async fn a_crash_after_the_hand_over_repeats_the_mail_under_the_same_id() {
    let mut world = World::start_with(|config| {
        config.mail.mail_timeout_seconds = 2;
        config.mail_lease_seconds = 5;
    })
    .await;
    let user = Uuid::now_v7();
    world.smtp.be_silent(true);
    world.publish(&registered(user, "Ada")).await;
    let handed_over = async || (!world.smtp.received().is_empty()).then_some(());
    eventually("a mail handed over", handed_over).await;
    world.crash().await;
    world.smtp.be_silent(false);
    world.start_again().await;
    let told = world.told_as(user, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert_eq!(world.attempts(&told).await, 2);

    let mails = world.smtp.received();
    let ids: HashSet<_> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!((mails.len(), ids.len()), (2, 1));
    assert_eq!(mails[0].header("Date"), mails[1].header("Date"));
}

#[tokio::test]
async fn two_replicas_hand_every_mail_over_once() {
    let world = World::start().await;
    world.add_replica().await;
    let users: Vec<_> = (0..30).map(|_| Uuid::now_v7()).collect();
    for user in &users {
        world.publish(&registered(*user, "Ada")).await;
    }
    for user in users {
        world.told_as(user, NotificationKind::Welcome, DeliveryState::Sent).await;
    }
    let mails = world.smtp.received();
    let ids: HashSet<_> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!((mails.len(), ids.len()), (30, 30));
}

#[tokio::test]
async fn who_turned_email_off_is_told_without_it() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    world.turn_email(user, false).await;
    world.publish(&registered(user, "Ada")).await;
    world.publish(&failed(user, Uuid::now_v7())).await;
    world.told_as(user, NotificationKind::Welcome, DeliveryState::Suppressed).await;
    world.told_as(user, NotificationKind::OrderFailed, DeliveryState::Suppressed).await;

    // What was suppressed stays so; what comes from now on is sent.
    world.turn_email(user, true).await;
    let order = Uuid::now_v7();
    world.publish(&failed(user, order)).await;
    world.told_as(user, NotificationKind::OrderFailed, DeliveryState::Sent).await;
    let mails = world.smtp.received();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].body().contains(&order.to_string()));
}

#[tokio::test]
async fn turning_email_off_suppresses_what_still_waits() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    world.publish(&failed(user, Uuid::now_v7())).await;
    world.told_as(user, NotificationKind::OrderFailed, DeliveryState::Pending).await;
    world.turn_email(user, false).await;
    assert_eq!(world.told(user).await[0].email_state(), DeliveryState::Suppressed);
}

#[tokio::test]
async fn a_mail_that_is_no_longer_wanted_when_its_turn_comes_is_not_sent() {
    let (world, user, other) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    world.publish(&failed(user, Uuid::now_v7())).await;
    world.told_as(user, NotificationKind::OrderFailed, DeliveryState::Pending).await;
    // As if the preference had been changed while the fact was being applied.
    sqlx::query("insert into preferences (user_id, email) values ($1, false)")
        .bind(user)
        .execute(world.pool())
        .await
        .unwrap();
    world.publish(&registered(user, "Ada")).await;
    world.told_as(user, NotificationKind::OrderFailed, DeliveryState::Suppressed).await;
    world.publish(&registered(other, "Grace")).await;
    world.told_as(other, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert!(world.smtp.with_subject(FAILED).is_empty());
    assert_eq!(world.smtp.with_subject(WELCOME).len(), 1);
}

#[tokio::test]
async fn a_worker_whose_lease_has_ended_cannot_mark_what_another_took() {
    let (mut world, user) = (World::start().await, Uuid::now_v7());
    world.smtp.greet("421 4.3.2 closed for now");
    world.publish(&registered(user, "Ada")).await;
    world.told_as(user, NotificationKind::Welcome, DeliveryState::Pending).await;
    world.crash().await;

    let deliveries = PostgresDeliveries::new(world.pool().clone());
    let (now, minute) = (OffsetDateTime::now_utc() + Duration::HOUR, Duration::MINUTE);
    let slow = deliveries.take(now, minute, 10).await.unwrap().mails.remove(0);
    assert!(deliveries.take(now, minute, 10).await.unwrap().mails.is_empty());
    let later = now + minute;
    let quick = deliveries.take(later, minute, 10).await.unwrap().mails.remove(0);
    assert_eq!((quick.notification_id, quick.attempt), (slow.notification_id, slow.attempt + 1));

    let error = "too slow".to_owned();
    assert!(!deliveries.settle(&slow, &Verdict::GiveUp { error }, later).await.unwrap());
    assert!(deliveries.settle(&quick, &Verdict::Sent, later).await.unwrap());
    assert!(!deliveries.settle(&quick, &Verdict::Sent, later).await.unwrap());
    assert_eq!(deliveries.pending().await.unwrap(), 0);
}

#[tokio::test]
async fn a_lease_shorter_than_a_hand_over_is_refused_at_start() {
    let world = World::start().await;
    let mut config = world.config.clone();
    config.mail_lease_seconds = 2 * config.mail.mail_timeout_seconds - 1;
    let error = config.patience().expect_err("too short").to_string();
    assert!(error.contains("MAIL_LEASE_SECONDS") && error.contains("MAIL_TIMEOUT_SECONDS"));
}

async fn ready(world: &World) -> bool {
    let mut stream = TcpStream::connect(world.admin_addr()).await.unwrap();
    let request = b"GET /readyz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.starts_with("HTTP/1.1 200")
}

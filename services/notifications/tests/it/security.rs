//! Mails about the security of an account: with a token in them, or without.

use std::collections::HashSet;

use proto::identity::v1::{MailPurpose, MailTokenRequested, SecurityEventRecorded};
use proto::notifications::v1::{DeliveryState, NotificationKind};
use testkit::{eventually, places_of};
use uuid::Uuid;

use crate::world::{WELCOME, World, registered};

const VERIFY: &str = "Please confirm your e-mail address";
const CHANGED: &str = "Your password was changed";

fn requested(user: Uuid, request: Uuid, purpose: MailPurpose) -> MailTokenRequested {
    MailTokenRequested {
        mail_request_id: request.to_string(),
        user_id: user.to_string(),
        purpose: purpose.into(),
    }
}

fn happened(user: Uuid, kind: &str) -> SecurityEventRecorded {
    // 21 November 2026, 15:04:05 UTC.
    let time = Some(prost_types::Timestamp { seconds: 1_795_273_445, nanos: 7 });
    SecurityEventRecorded { user_id: user.to_string(), kind: kind.to_owned(), time }
}

/// A user who is known; their welcome was sent.
async fn known(world: &World) -> Uuid {
    let user = Uuid::now_v7();
    world.publish(&registered(user, "Ada")).await;
    world.told_as(user, NotificationKind::Welcome, DeliveryState::Sent).await;
    user
}

#[tokio::test]
async fn the_token_is_in_the_mail_that_is_handed_over_and_nowhere_else() {
    let world = World::start().await;
    let user = known(&world).await;
    for (purpose, kind, page) in [
        (MailPurpose::VerifyEmail, NotificationKind::VerifyEmail, "verify-email"),
        (MailPurpose::ResetPassword, NotificationKind::ResetPassword, "reset-password"),
    ] {
        let request = Uuid::now_v7();
        world.publish(&requested(user, request, purpose)).await;
        let told = world.told_as(user, kind, DeliveryState::Sent).await;
        let [token] = world.identity.tokens_of(request).try_into().unwrap();
        let mails = world.smtp.with_subject(&told.subject);
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].to, [format!("{}@example.com", user.simple())]);
        let link = format!("https://shop.example/{page}?token={}", token.replace('+', "%2B"));
        assert!(mails[0].plain_body().contains(&format!("\n{link}\n")), "{:?}", mails[0]);
        assert!(!told.body.contains("http") && told.body.contains("link"), "{}", told.body);
        let values = [token.clone(), token.replace('+', "%2B")];
        assert_eq!(places_of(world.pool(), &values).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn security_mails_are_sent_whatever_the_preferences_say() {
    let world = World::start().await;
    let user = known(&world).await;
    world.turn_email(user, false).await;
    let request = Uuid::now_v7();
    world.publish(&requested(user, request, MailPurpose::ResetPassword)).await;
    world.publish(&happened(user, "password.changed")).await;
    world.told_as(user, NotificationKind::ResetPassword, DeliveryState::Sent).await;
    world.told_as(user, NotificationKind::Security, DeliveryState::Sent).await;

    // Also when they are turned off while it waits.
    let other = Uuid::now_v7();
    world.publish(&happened(other, "password.changed")).await;
    world.told_as(other, NotificationKind::Security, DeliveryState::Pending).await;
    world.turn_email(other, false).await;
    world.publish(&registered(other, "Grace")).await;
    world.told_as(other, NotificationKind::Security, DeliveryState::Sent).await;
    world.told_as(other, NotificationKind::Welcome, DeliveryState::Suppressed).await;
    for mail in world.smtp.with_subject(CHANGED) {
        assert!(mail.plain_body().contains("whatever your notification"), "{mail:?}");
        assert!(!mail.plain_body().contains("turn these e-mails off"), "{mail:?}");
    }
    assert_eq!(world.smtp.with_subject(CHANGED).len(), 2);
}

#[tokio::test]
async fn every_event_that_matters_is_told_with_its_time_and_others_are_not() {
    let world = World::start().await;
    let user = known(&world).await;
    let kinds = [
        "password.changed",
        "password.reset",
        "second_factor.added",
        "second_factor.removed",
        "sessions.revoked",
        "email.verified",
        "recovery_code.used",
        "roles.changed",
        "account.closed",
    ];
    let ignored = ["login.succeeded", "login.failed", "login.throttled", "keys.rotated", "later"];
    for kind in kinds.iter().chain(&ignored) {
        world.publish(&happened(user, kind)).await;
    }
    world.consumed(15).await;
    let told = eventually("all mails were sent", async || {
        let mut told = world.told(user).await;
        told.retain(|told| told.kind() == NotificationKind::Security);
        told.iter().all(|told| told.email_state() == DeliveryState::Sent).then_some(told)
    })
    .await;
    let subjects: HashSet<_> = told.iter().map(|told| told.subject.as_str()).collect();
    assert_eq!((told.len(), subjects.len()), (kinds.len(), kinds.len()));
    for told in &told {
        assert!(told.body.contains("21 November 2026, 15:04 UTC"), "{}", told.body);
    }
    assert_eq!(world.smtp.received().len(), kinds.len() + 1, "and the welcome");
    let dead = world.dead_letters().list(None, 0).await.unwrap();
    assert!(dead.iter().all(|queue| queue.count == 0), "{dead:?}");
}

#[tokio::test]
async fn the_same_event_makes_one_mail_and_the_next_of_its_kind_another() {
    let world = World::start().await;
    let user = known(&world).await;
    let request = Uuid::now_v7();
    world.publish(&requested(user, request, MailPurpose::VerifyEmail)).await;
    world.publish(&happened(user, "password.changed")).await;
    world.told_as(user, NotificationKind::VerifyEmail, DeliveryState::Sent).await;
    world.told_as(user, NotificationKind::Security, DeliveryState::Sent).await;
    // The same events again, the same request as another event, and another event.
    world.publish_again().await;
    world.publish(&requested(user, request, MailPurpose::VerifyEmail)).await;
    world.publish(&happened(user, "password.changed")).await;
    world.consumed(5).await;
    eventually("three mails and the welcome", async || {
        (world.smtp.received().len() == 4).then_some(())
    })
    .await;
    assert_eq!(world.smtp.with_subject(VERIFY).len(), 1);
    assert_eq!(world.smtp.with_subject(CHANGED).len(), 2);
    assert_eq!(world.identity.tokens_of(request).len(), 1);
    assert_eq!(world.told(user).await.len(), 4);
}

#[tokio::test]
async fn a_mail_that_it_is_too_late_for_is_given_up() {
    let world = World::start().await;
    let user = known(&world).await;
    world.identity.say_too_late();
    world.publish(&requested(user, Uuid::now_v7(), MailPurpose::VerifyEmail)).await;
    world.told_as(user, NotificationKind::VerifyEmail, DeliveryState::Failed).await;
    assert!(world.smtp.with_subject(VERIFY).is_empty());
}

#[tokio::test]
async fn without_identity_mails_with_a_token_wait_and_all_others_are_sent() {
    let world = World::start_with(|config| config.mail_max_attempts = 1).await;
    let user = known(&world).await;
    world.identity.go_away();
    let requests: Vec<_> = (0..10).map(|_| Uuid::now_v7()).collect();
    for request in &requests {
        world.publish(&requested(user, *request, MailPurpose::VerifyEmail)).await;
    }
    eventually("every one of them was postponed", async || {
        let postponed = "select count(*) from deliveries where last_error is not null";
        let postponed: i64 = sqlx::query_scalar(postponed).fetch_one(world.pool()).await.unwrap();
        (postponed == 10).then_some(())
    })
    .await;
    // More than one round of waiting mails is in front of it.
    let other = Uuid::now_v7();
    world.publish(&registered(other, "Grace")).await;
    world.told_as(other, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert!(world.smtp.with_subject(VERIFY).is_empty());
    assert_eq!(world.smtp.with_subject(WELCOME).len(), 2);

    world.identity.come_back();
    eventually("all mails were sent", async || {
        (world.smtp.with_subject(VERIFY).len() == requests.len()).then_some(())
    })
    .await;
    let told = world.told_as(user, NotificationKind::VerifyEmail, DeliveryState::Sent).await;
    assert_eq!(world.attempts(&told).await, 1, "waiting for a token costs no attempt");
}

#[tokio::test]
async fn a_mail_that_the_server_refuses_for_now_gets_a_new_token() {
    let world = World::start().await;
    let user = known(&world).await;
    world.smtp.once("451 4.3.0 try again later");
    let request = Uuid::now_v7();
    world.publish(&requested(user, request, MailPurpose::VerifyEmail)).await;
    world.told_as(user, NotificationKind::VerifyEmail, DeliveryState::Sent).await;
    let tokens = world.identity.tokens_of(request);
    assert_eq!(tokens.len(), 2);
    let mails = world.smtp.with_subject(VERIFY);
    assert_eq!(mails.len(), 1);
    let text = mails[0].plain_body();
    assert!(text.contains(&tokens[1].replace('+', "%2B")), "the one that works: {text}");
    assert_eq!(places_of(world.pool(), &tokens).await, Vec::<String>::new());
}

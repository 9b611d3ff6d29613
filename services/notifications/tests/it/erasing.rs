//! What is kept of a person, and what is left after erasure.

use grpc::MeshChannel;
use proto::identity::v1::SecurityEventRecorded;
use proto::notifications::v1::personal_data_service_client::PersonalDataServiceClient;
use proto::notifications::v1::{
    DeliveryState, ErasePersonalDataRequest, ExportPersonalDataRequest, NotificationKind,
    Preferences, UpdatePreferencesRequest,
};
use serde_json::{Value, json};
use testkit::{bearer, eventually, places_of, reason};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, confirmed, failed, registered};

/// Stands nowhere else; also the start of the address.
const MARK: &str = "Zanzibar-7f3a";

impl World {
    fn personal(&self, workload: &str) -> PersonalDataServiceClient<MeshChannel> {
        let channel = self.platform.channel(workload, self.addr(), "notifications");
        PersonalDataServiceClient::new(channel)
    }

    async fn export(&self, user: Uuid) -> Option<Value> {
        let request = ExportPersonalDataRequest { user_id: user.to_string() };
        let json = self.personal("identity").export_personal_data(request).await.unwrap();
        let json = json.into_inner().json;
        (!json.is_empty()).then(|| serde_json::from_str(&json).unwrap())
    }

    async fn erase(&self, user: Uuid) -> bool {
        let request = ErasePersonalDataRequest { user_id: user.to_string() };
        let answer = self.personal("identity").erase_personal_data(request).await;
        answer.unwrap().into_inner().complete
    }

    /// As identity does: again and again.
    async fn erase_completely(&self, user: Uuid) {
        eventually("a complete erasure", async || self.erase(user).await.then_some(())).await;
    }

    /// Somebody whose name and address are marked.
    async fn marked(&self) -> Uuid {
        let user = Uuid::now_v7();
        let mut fact = registered(user, &format!("{MARK} Lovelace"));
        fact.email = format!("{MARK}-{}@example.com", user.simple());
        self.publish(&fact).await;
        user
    }

    /// Nothing in any table names the user or carries the mark, but for the tombstone.
    async fn assert_forgotten(&self, user: Uuid) {
        let values = [user.to_string(), MARK.to_owned()];
        let found = places_of(self.pool(), &values).await;
        assert_eq!(found, [format!("public.erased_users: {user}")]);
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_person_who_was_erased_and_others_keep_theirs() {
    let world = World::start().await;
    let (ada, grace, order) = (world.marked().await, Uuid::now_v7(), Uuid::now_v7());
    world.publish(&registered(grace, "Grace")).await;
    world.publish(&confirmed(ada, order)).await;
    world.turn_email(ada, true).await;
    world.told_as(ada, NotificationKind::OrderConfirmed, DeliveryState::Sent).await;
    world.told_as(ada, NotificationKind::Welcome, DeliveryState::Sent).await;
    world.told_as(grace, NotificationKind::Welcome, DeliveryState::Sent).await;
    let found = places_of(world.pool(), &[ada.to_string(), MARK.to_owned()]).await;
    assert_eq!(found.len(), 4, "contact twice, preferences, notifications: {found:?}");

    world.erase_completely(ada).await;
    assert!(world.erase(ada).await, "and again");
    world.assert_forgotten(ada).await;
    assert!(places_of(world.pool(), &[order.to_string()]).await.is_empty());
    assert!(world.told(ada).await.is_empty());
    assert_eq!(world.told(grace).await.len(), 1);
    assert!(world.export(grace).await.is_some());
}

#[tokio::test]
async fn what_comes_after_an_erasure_creates_nothing() {
    let world = World::start().await;
    let ada = Uuid::now_v7();
    assert!(world.erase(ada).await, "nothing is known yet");
    let mut fact = registered(ada, MARK);
    fact.email = format!("{MARK}@example.com");
    world.publish(&fact).await;
    world.publish(&failed(ada, Uuid::now_v7())).await;
    world.consumed(2).await;
    let request = UpdatePreferencesRequest {
        preferences: Some(Preferences { email: false }),
        update_mask: None,
    };
    let refused = world.client().update_preferences(bearer(request, &world.token(ada))).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Unauthenticated, "TOKEN_INVALID")
    );
    world.assert_forgotten(ada).await;
    assert!(world.smtp.received().is_empty());
    assert_eq!(world.export(ada).await, None);
}

#[tokio::test]
async fn mails_that_wait_are_not_sent_to_a_person_who_was_erased() {
    let world = World::start().await;
    world.smtp.greet("421 4.3.2 closed for now");
    let ada = world.marked().await;
    world.told_as(ada, NotificationKind::Welcome, DeliveryState::Pending).await;
    world.erase_completely(ada).await;
    world.smtp.welcome_again();
    let grace = Uuid::now_v7();
    world.publish(&registered(grace, "Grace")).await;
    world.told_as(grace, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert_eq!(world.smtp.received().len(), 1, "hers");
    world.assert_forgotten(ada).await;
}

#[tokio::test]
async fn a_mail_that_is_being_handed_over_is_waited_for() {
    let world = World::start().await;
    world.smtp.be_silent(true);
    let ada = world.marked().await;
    eventually("a mail is being handed over", async || {
        (world.smtp.received().len() == 1).then_some(())
    })
    .await;
    assert!(!world.erase(ada).await);
    world.smtp.be_silent(false);
    world.erase_completely(ada).await;
    world.assert_forgotten(ada).await;
    assert_eq!(world.smtp.received().len(), 1);
}

#[tokio::test]
async fn the_last_mail_is_sent_before_its_reader_is_forgotten() {
    let world = World::start().await;
    let ada = world.marked().await;
    world.told_as(ada, NotificationKind::Welcome, DeliveryState::Sent).await;
    world.smtp.greet("421 4.3.2 closed for now");
    let (user_id, kind) = (ada.to_string(), "account.closed".to_owned());
    let time = Some(prost_types::Timestamp { seconds: 1_795_273_445, nanos: 0 });
    world.publish(&SecurityEventRecorded { user_id, kind, time }).await;
    world.publish(&failed(ada, Uuid::now_v7())).await;
    world.consumed(3).await;
    eventually("the last mail is all that is left", async || {
        assert!(!world.erase(ada).await);
        (world.told(ada).await.len() == 1).then_some(())
    })
    .await;
    world.smtp.welcome_again();
    world.erase_completely(ada).await;
    world.assert_forgotten(ada).await;
    assert_eq!(world.smtp.with_subject("Your account is closed").len(), 1);
    assert_eq!(world.smtp.received().len(), 2, "the welcome and the last");
}

#[tokio::test]
async fn a_fact_that_is_applied_as_the_erasure_comes_is_waited_for() {
    let world = World::start().await;
    // The contact is written down, and the welcome is not: in the middle.
    let mut between = postgres::begin(world.pool()).await.unwrap();
    let lock = "lock table notifications in share mode";
    sqlx::query(lock).execute(&mut *between).await.unwrap();
    let ada = world.marked().await;
    lock_is(&world, true).await;
    let letting_go = async {
        lock_is(&world, false).await;
        between.rollback().await.unwrap();
    };
    tokio::join!(world.erase(ada), letting_go);
    world.erase_completely(ada).await;
    world.consumed(1).await;
    world.assert_forgotten(ada).await;
}

/// Waits until somebody holds the lock of erasure, or waits for it.
async fn lock_is(world: &World, granted: bool) {
    let lock = "select exists (
        select from pg_locks join pg_database on pg_database.oid = pg_locks.database
        where datname = current_database() and locktype = 'advisory'
            and classid = 1701994867 and granted = $1)";
    eventually(&format!("the lock of erasure; granted: {granted}"), async || {
        let lock = sqlx::query_scalar::<_, bool>(lock).bind(granted);
        lock.fetch_one(world.pool()).await.unwrap().then_some(())
    })
    .await;
}

#[tokio::test]
async fn facts_that_race_with_an_erasure_leave_nothing() {
    let world = World::start().await;
    let mut users = Vec::new();
    for _ in 0..10 {
        let ada = Uuid::now_v7();
        let mut fact = registered(ada, MARK);
        fact.email = format!("{MARK}@example.com");
        world.publish(&fact).await;
        world.publish(&failed(ada, Uuid::now_v7())).await;
        world.erase(ada).await;
        users.push(ada);
    }
    world.consumed(20).await;
    for user in &users {
        world.erase_completely(*user).await;
    }
    let ids = users.iter().map(Uuid::to_string).chain([MARK.to_owned()]);
    let found = places_of(world.pool(), &ids.collect::<Vec<_>>()).await;
    assert!(found.iter().all(|place| place.starts_with("public.erased_users: ")), "{found:?}");
}

#[tokio::test]
async fn what_waits_for_somebody_nobody_knows_is_removed_after_a_month() {
    let world = World::start().await;
    let (stranger, ada) = (Uuid::now_v7(), Uuid::now_v7());
    world.publish(&failed(stranger, Uuid::now_v7())).await;
    world.publish(&failed(ada, Uuid::now_v7())).await;
    world.consumed(2).await;
    let age = "update deliveries d set next_attempt_at = next_attempt_at - interval '31 days'
         from notifications n where n.id = d.notification_id and n.user_id = $1";
    sqlx::query(age).bind(stranger).execute(world.pool()).await.unwrap();
    world.forget_old().await;
    assert!(world.told(stranger).await.is_empty());
    assert_eq!(world.told(ada).await.len(), 1);
}

#[tokio::test]
async fn an_export_has_contact_preferences_and_notifications() {
    let world = World::start().await;
    let ada = world.marked().await;
    world.told_as(ada, NotificationKind::Welcome, DeliveryState::Sent).await;
    world.turn_email(ada, false).await;
    let export = world.export(ada).await.unwrap();
    let email = format!("{MARK}-{}@example.com", ada.simple());
    let contact = json!([{"email": email, "display_name": format!("{MARK} Lovelace")}]);
    assert_eq!(export["contacts"], contact);
    assert_eq!(export["preferences"], json!([{"email": false}]));
    let told = &export["notifications"][0];
    assert_eq!(told["kind"], "NOTIFICATION_KIND_WELCOME");
    assert_eq!(told["email_state"], "DELIVERY_STATE_SENT");
    assert_eq!(world.export(Uuid::now_v7()).await, None);
}

#[tokio::test]
async fn only_identity_asks_for_personal_data() {
    let world = World::start().await;
    for workload in ["edge", "tools", "orders"] {
        let request = ErasePersonalDataRequest { user_id: Uuid::now_v7().to_string() };
        let refused = world.personal(workload).erase_personal_data(request).await.unwrap_err();
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED", "{workload}");
    }
}

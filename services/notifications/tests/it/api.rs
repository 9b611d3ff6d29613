//! What users see and change over gRPC.

use prost_types::FieldMask;
use proto::notifications::v1::{
    GetPreferencesRequest, ListNotificationsRequest, ListNotificationsResponse, Preferences,
    UpdatePreferencesRequest,
};
use testkit::{bearer, fields, reason};
use tonic::{Code, Request, Status};
use uuid::Uuid;

use crate::world::{World, confirmed, failed};

async fn page(
    world: &World,
    user: Uuid,
    page_size: i32,
    page_token: &str,
) -> Result<ListNotificationsResponse, Status> {
    let request = ListNotificationsRequest { page_size, page_token: page_token.to_owned() };
    let request = bearer(request, &world.token(user));
    Ok(world.client().list_notifications(request).await?.into_inner())
}

async fn preferences(world: &World, user: Uuid) -> bool {
    let request = bearer(GetPreferencesRequest {}, &world.token(user));
    world.client().get_preferences(request).await.unwrap().into_inner().email
}

async fn update(
    world: &World,
    user: Uuid,
    email: bool,
    paths: &[&str],
) -> Result<Preferences, Status> {
    let paths = paths.iter().map(ToString::to_string).collect();
    let request = UpdatePreferencesRequest {
        preferences: Some(Preferences { email }),
        update_mask: Some(FieldMask { paths }),
    };
    let request = bearer(request, &world.token(user));
    Ok(world.client().update_preferences(request).await?.into_inner())
}

#[tokio::test]
async fn nobody_sees_what_another_was_told() {
    let (world, user, other) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    world.publish(&confirmed(user, Uuid::now_v7())).await;
    world.consumed(1).await;
    assert_eq!(world.told(user).await.len(), 1);
    assert!(world.told(other).await.is_empty());
    let admin = world.platform.token(other, &["admin"]);
    let request = bearer(ListNotificationsRequest::default(), &admin);
    let seen = world.client().list_notifications(request).await.unwrap().into_inner();
    assert!(seen.notifications.is_empty());
}

#[tokio::test]
async fn nobody_is_let_in_without_a_good_token() {
    let world = World::start().await;
    let anonymous = world.client().get_preferences(Request::new(GetPreferencesRequest {})).await;
    assert_eq!(anonymous.unwrap_err().code(), Code::Unauthenticated);
    let expired = world.platform.expired_token(Uuid::now_v7(), &["customer"]);
    let late = world.client().get_preferences(bearer(GetPreferencesRequest {}, &expired)).await;
    assert_eq!(late.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn notifications_are_listed_in_pages_newest_first() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    let mut expected = Vec::new();
    for count in 1..=5 {
        let order = Uuid::now_v7();
        world.publish(&failed(user, order)).await;
        world.consumed(count).await;
        expected.insert(0, order.to_string());
    }
    let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = page(&world, user, 2, &token).await.unwrap();
        sizes.push(page.notifications.len());
        seen.extend(page.notifications.into_iter().map(|told| told.order_id));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, expected);
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn a_page_token_that_was_never_given_out_and_a_page_too_large_are_refused() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    let status = page(&world, user, 2, "made-up").await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason(&status), "PAGE_TOKEN_INVALID");
    let status = page(&world, user, 101, "").await.unwrap_err();
    assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["page_size".into()]));
}

#[tokio::test]
async fn email_is_on_until_its_user_turns_it_off_and_nobody_elses_changes() {
    let (world, user, other) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    assert!(preferences(&world, user).await);
    assert!(!update(&world, user, false, &["email"]).await.unwrap().email);
    assert!(!preferences(&world, user).await);
    assert!(preferences(&world, other).await);
    assert!(update(&world, user, true, &["*"]).await.unwrap().email);
    assert!(!update(&world, user, false, &[]).await.unwrap().email);
    assert!(!preferences(&world, user).await);
}

#[tokio::test]
async fn an_update_that_names_an_unknown_field_changes_nothing() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    let status = update(&world, user, false, &["email", "sms"]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason(&status), "FIELD_MASK_INVALID");
    assert_eq!(fields(&status), ["update_mask"]);
    assert!(preferences(&world, user).await);
}

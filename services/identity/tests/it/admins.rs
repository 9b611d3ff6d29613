//! What admins do, and what nobody else may.

use proto::identity::v1::{
    GetUserRequest, ListUsersRequest, ListUsersResponse, SetUserRolesRequest, User,
};
use secrecy::SecretString;
use testkit::{bearer, fields};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::{ADMIN_EMAIL, Client, PASSWORD, World, login, me, refresh, refused, user_id};

async fn set_roles(
    client: &Client,
    token: &str,
    user: Uuid,
    roles: &[&str],
) -> Result<User, Status> {
    let roles = roles.iter().map(ToString::to_string).collect();
    let (user_id, revoke_sessions) = (user.to_string(), false);
    let request = SetUserRolesRequest { user_id, roles, revoke_sessions };
    Ok(client.clone().set_user_roles(bearer(request, token)).await?.into_inner())
}

async fn list(
    client: &Client,
    token: &str,
    page_size: i32,
    page_token: &str,
) -> Result<ListUsersResponse, Status> {
    let (page_token, role) = (page_token.to_owned(), String::new());
    let request = ListUsersRequest { page_size, page_token, role };
    Ok(client.clone().list_users(bearer(request, token)).await?.into_inner())
}

#[tokio::test]
async fn an_admin_gives_roles_and_the_next_token_carries_them() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let session = world.register("ada@example.com").await;
    let id = user_id(&session);
    refused(
        list(&client, &session.access_token, 0, "").await,
        Code::PermissionDenied,
        "PERMISSION_DENIED",
    );

    let changed = set_roles(&client, &admin, id, &["customer", "admin"]).await.unwrap();
    assert_eq!(changed.roles, ["customer", "admin"]);
    // The token that is out keeps its roles until it is exchanged.
    assert!(list(&client, &session.access_token, 0, "").await.is_err());
    let next = refresh(&client, &session.refresh_token).await.unwrap();
    assert_eq!(next.user.unwrap().roles, ["customer", "admin"]);
    assert!(list(&client, &next.access_token, 0, "").await.is_ok());
}

#[tokio::test]
async fn the_last_admin_stays_one() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let id: Uuid = me(&client, &admin).await.unwrap().user_id.parse().unwrap();
    let answer = set_roles(&client, &admin, id, &["customer"]).await;
    refused(answer, Code::FailedPrecondition, "LAST_ADMIN");
    assert_eq!(me(&client, &admin).await.unwrap().roles, ["admin"]);

    let second = user_id(&world.register("ada@example.com").await);
    set_roles(&client, &admin, second, &["admin"]).await.unwrap();
    set_roles(&client, &admin, id, &["customer"]).await.unwrap();
}

#[tokio::test]
async fn of_two_admins_who_step_down_at_once_one_stays() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let first: Uuid = me(&client, &admin).await.unwrap().user_id.parse().unwrap();
    let second = user_id(&world.register("ada@example.com").await);
    set_roles(&client, &admin, second, &["admin"]).await.unwrap();
    let other = login(&client, "ada@example.com", PASSWORD).await.unwrap().access_token;
    for _ in 0..10 {
        let (a, b) = tokio::join!(
            set_roles(&client, &admin, first, &["customer"]),
            set_roles(&client, &other, second, &["customer"]),
        );
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        let (left, gone) = if a.is_ok() { (&other, first) } else { (&admin, second) };
        refused(if a.is_ok() { b } else { a }, Code::FailedPrecondition, "LAST_ADMIN");
        // Whoever stepped down has a token that says otherwise, and cannot use it.
        let stale = if left == &other { &admin } else { &other };
        let again = set_roles(&client, stale, gone, &["admin"]).await;
        refused(again, Code::PermissionDenied, "PERMISSION_NOT_HELD");
        set_roles(&client, left, gone, &["admin"]).await.unwrap();
    }
}

#[tokio::test]
async fn roles_must_exist_and_so_must_the_account() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let id = user_id(&world.register("ada@example.com").await);
    let unknown_role = set_roles(&client, &admin, id, &["customer", "emperor"]).await;
    let status = refused(unknown_role, Code::InvalidArgument, "ROLE_UNKNOWN");
    assert_eq!(fields(&status), ["roles[1]"]);
    let nobody = set_roles(&client, &admin, Uuid::now_v7(), &["customer"]).await;
    refused(nobody, Code::NotFound, "USER_NOT_FOUND");
    let request = GetUserRequest { user_id: Uuid::now_v7().to_string() };
    let nobody = client.clone().get_user(bearer(request, &admin)).await;
    refused(nobody, Code::NotFound, "USER_NOT_FOUND");
}

#[tokio::test]
async fn customers_and_managers_see_no_other_account() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let customer = world.register("ada@example.com").await;
    let manager = world.register("grace@example.com").await;
    set_roles(&client, &admin, user_id(&manager), &["manager"]).await.unwrap();
    let manager = refresh(&client, &manager.refresh_token).await.unwrap();
    let other = user_id(&customer).to_string();
    for token in [&customer.access_token, &manager.access_token] {
        let denied = (Code::PermissionDenied, "PERMISSION_DENIED");
        refused(list(&client, token, 0, "").await, denied.0, denied.1);
        let request = bearer(GetUserRequest { user_id: other.clone() }, token);
        refused(client.clone().get_user(request).await, denied.0, denied.1);
        let promoted = set_roles(&client, token, user_id(&customer), &["admin"]).await;
        refused(promoted, denied.0, denied.1);
    }
    let request = bearer(GetUserRequest { user_id: other }, &admin);
    let seen = client.clone().get_user(request).await.unwrap().into_inner();
    assert_eq!(Some(seen), customer.user);
}

#[tokio::test]
async fn accounts_are_listed_in_pages_newest_first() {
    let world = World::start().await;
    let (client, admin) = (world.client(), world.admin_token().await);
    let mut expected = vec![ADMIN_EMAIL.to_owned()];
    for i in 0..4 {
        let email = format!("customer{i}@example.com");
        world.register(&email).await;
        expected.insert(0, email);
    }
    let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let page = list(&client, &admin, 2, &token).await.unwrap();
        sizes.push(page.users.len());
        seen.extend(page.users.into_iter().map(|user| user.email));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, expected);
    assert_eq!(sizes, [2, 2, 1]);
    let made_up = list(&client, &admin, 2, "made-up").await;
    refused(made_up, Code::InvalidArgument, "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn the_first_admin_is_made_once_and_then_left_alone() {
    let world = World::start().await;
    let replica = world
        .replica_with(|config| {
            config.admin_email = Some(ADMIN_EMAIL.to_uppercase());
            config.admin_password = Some(SecretString::from("another password"));
        })
        .await;
    let answer = login(&replica, ADMIN_EMAIL, "another password").await;
    refused(answer, Code::Unauthenticated, "BAD_CREDENTIALS");
    let session = login(&replica, ADMIN_EMAIL, PASSWORD).await.unwrap();
    assert_eq!(session.user.unwrap().roles, ["admin"]);
    let count: i64 =
        sqlx::query_scalar("select count(*) from users").fetch_one(world.pool()).await.unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn half_of_the_first_admins_settings_is_an_error_that_names_them() {
    let world = World::start().await;
    let mut config = world.config.clone();
    config.admin_password = None;
    let error = config.admin().expect_err("half a pair").to_string();
    assert!(error.contains("ADMIN_EMAIL") && error.contains("ADMIN_PASSWORD"));
    config.admin_email = Some(String::new());
    assert!(config.admin().unwrap().is_none());
}

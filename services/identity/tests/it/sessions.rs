//! Refresh tokens: rotation, reuse, revocation, expiry.

use futures::future::join_all;
use identity::core::ports::RefreshTokens;
use identity::infrastructure::PostgresRefreshTokens;
use proto::identity::v1::{
    IntrospectTokenRequest, ListSessionsRequest, RevokeSessionRequest, TokenIntrospection,
};
use testkit::bearer;
use time::{Duration, OffsetDateTime};
use tonic::Code;

use crate::world::{Client, PASSWORD, World, login, logout, me, refresh, refused, register};

const DEAD: (Code, &str) = (Code::Unauthenticated, "REFRESH_TOKEN_INVALID");

async fn is_dead(client: &Client, token: &str) {
    refused(refresh(client, token).await, DEAD.0, DEAD.1);
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_for_a_new_pair() {
    let world = World::start().await;
    let client = world.client();
    let first = world.register("ada@example.com").await;
    let second = refresh(&client, &first.refresh_token).await.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_ne!(second.access_token, first.access_token);
    assert_eq!(second.user, first.user);
    assert!(me(&client, &second.access_token).await.is_ok());
    assert!(refresh(&client, &second.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_token_used_twice_revokes_its_family_and_no_other() {
    let world = World::start().await;
    let client = world.client();
    let other = world.register("ada@example.com").await;
    let first = login(&client, "ada@example.com", PASSWORD).await.unwrap();
    let second = refresh(&client, &first.refresh_token).await.unwrap();
    let third = refresh(&client, &second.refresh_token).await.unwrap();
    is_dead(&client, &first.refresh_token).await;
    is_dead(&client, &third.refresh_token).await;
    is_dead(&client, &second.refresh_token).await;
    assert!(refresh(&client, &other.refresh_token).await.is_ok());
}

#[tokio::test]
async fn of_many_who_refresh_the_same_token_at_once_one_succeeds() {
    let world = World::start().await;
    let replica = world.replica().await;
    let clients = [world.client(), replica];
    let session = world.register("ada@example.com").await;
    let tries = (0..10).map(|i| refresh(&clients[i % 2], &session.refresh_token));
    let (won, lost): (Vec<_>, Vec<_>) = join_all(tries).await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 9));
    for answer in lost {
        refused(answer, DEAD.0, DEAD.1);
    }
    // The losers look like thieves, so the winner has to sign in again.
    is_dead(&world.client(), &won.into_iter().next().unwrap().unwrap().refresh_token).await;
}

#[tokio::test]
async fn no_descendant_escapes_when_reuse_and_rotation_race() {
    let world = World::start().await;
    let client = world.client();
    for i in 0..20 {
        let first = register(&client, &format!("ada{i}@example.com")).await.unwrap();
        let second = refresh(&client, &first.refresh_token).await.unwrap();
        let reuse = refresh(&client, &first.refresh_token);
        let rotation = refresh(&client, &second.refresh_token);
        let (reused, rotated) = tokio::join!(reuse, rotation);
        refused(reused, DEAD.0, DEAD.1);
        if let Ok(third) = rotated {
            is_dead(&client, &third.refresh_token).await;
        }
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_no_other() {
    let world = World::start().await;
    let client = world.client();
    let other = world.register("ada@example.com").await;
    let first = login(&client, "ada@example.com", PASSWORD).await.unwrap();
    let second = refresh(&client, &first.refresh_token).await.unwrap();
    logout(&client, &second.refresh_token).await.unwrap();
    is_dead(&client, &second.refresh_token).await;
    assert!(refresh(&client, &other.refresh_token).await.is_ok());
}

#[tokio::test]
async fn somebody_sees_where_they_are_signed_in_and_ends_one_of_it() {
    let world = World::start().await;
    let client = world.client();
    let first = world.register("ada@example.com").await;
    let second = login(&client, "ada@example.com", PASSWORD).await.unwrap();
    let list = async || {
        let request = bearer(ListSessionsRequest {}, &second.access_token);
        world.accounts().list_sessions(request).await.unwrap().into_inner().sessions
    };
    let sessions = list().await;
    assert_eq!(sessions.iter().map(|s| s.current).collect::<Vec<_>>(), [true, false]);
    assert!(sessions.iter().all(|s| s.user_agent.starts_with("tonic/")), "{sessions:?}");

    let end = async |token: &str, id: &str| {
        let request = RevokeSessionRequest { session_id: id.to_owned() };
        world.accounts().revoke_session(bearer(request, token)).await
    };
    let theirs = register(&client, "grace@example.com").await.unwrap();
    let foreign = end(&theirs.access_token, &sessions[1].session_id).await;
    refused(foreign, Code::NotFound, "SESSION_NOT_FOUND");
    end(&second.access_token, &sessions[1].session_id).await.unwrap();
    is_dead(&client, &first.refresh_token).await;
    // It has ended: asking again changes nothing.
    end(&second.access_token, &sessions[1].session_id).await.unwrap();
    assert_eq!(list().await.len(), 1);
    assert!(refresh(&client, &second.refresh_token).await.is_ok());
}

#[tokio::test]
async fn a_token_that_was_revoked_is_not_active_though_it_has_not_expired() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let introspect = async |token: &str| {
        let request = IntrospectTokenRequest { token: token.to_owned() };
        world.security_as("tools").introspect_token(request).await.unwrap().into_inner()
    };
    let access = introspect(&session.access_token).await;
    assert!(access.active && access.token_type == "access_token", "{access:?}");
    assert_eq!(access.sub, session.user.as_ref().unwrap().user_id);
    assert_eq!((access.roles.join(" "), access.exp - access.iat), ("customer".to_owned(), 900));
    let refresh_token = introspect(&session.refresh_token).await;
    assert!(refresh_token.active && refresh_token.token_type == "refresh_token");
    assert_eq!((&refresh_token.sid, &refresh_token.sub), (&access.sid, &access.sub));

    logout(&world.client(), &session.refresh_token).await.unwrap();
    for token in [&session.access_token, &session.refresh_token, "never given out"] {
        assert_eq!(introspect(token).await, TokenIntrospection::default());
    }
    let request = IntrospectTokenRequest { token: session.access_token };
    let answer = world.security_as("edge").introspect_token(request).await;
    refused(answer, Code::PermissionDenied, "CALLER_NOT_ALLOWED");
}

#[tokio::test]
async fn signing_out_twice_or_with_any_token_is_no_error() {
    let world = World::start().await;
    let client = world.client();
    let session = world.register("ada@example.com").await;
    for token in [&session.refresh_token, &session.refresh_token, "never given out"] {
        logout(&client, token).await.unwrap();
    }
}

#[tokio::test]
async fn unknown_and_expired_refresh_tokens_are_refused() {
    let world = World::start().await;
    let client = world.client();
    let session = world.register("ada@example.com").await;
    is_dead(&client, "never given out").await;
    is_dead(&client, &session.access_token).await;
    sqlx::query("update refresh_tokens set expires_at = now()")
        .execute(world.pool())
        .await
        .unwrap();
    is_dead(&client, &session.refresh_token).await;
}

#[tokio::test]
async fn expired_tokens_are_forgotten_and_live_ones_kept() {
    let world = World::start().await;
    let client = world.client();
    let kept = world.register("ada@example.com").await;
    let spent = login(&client, "ada@example.com", PASSWORD).await.unwrap();
    sqlx::query(
        "update refresh_tokens set expires_at = now() - interval '2 days'
         where family_id <> (select min(id::text)::uuid from refresh_token_families)",
    )
    .execute(world.pool())
    .await
    .unwrap();
    let tokens = PostgresRefreshTokens::new(world.pool().clone());
    let limit = OffsetDateTime::now_utc() - Duration::days(1);
    // The service forgets them too, at start: whoever comes first.
    tokens.forget_expired(limit).await.unwrap();
    let left: (i64, i64) = sqlx::query_as(
        "select (select count(*) from refresh_tokens),
                (select count(*) from refresh_token_families)",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    assert_eq!(left, (1, 1));
    is_dead(&client, &spent.refresh_token).await;
    assert!(refresh(&client, &kept.refresh_token).await.is_ok());
}

//! What every service is told is not to be believed any more.

use std::collections::HashSet;

use proto::identity::v1::{
    ListRevocationsRequest, ListRevocationsResponse, ListSessionsRequest, Session,
};
use testkit::{bearer, eventually};
use tonic::Code;

use crate::world::{PASSWORD, World, login, logout, me, refresh, refused};

impl World {
    async fn revoked(&self, start_time: Option<prost_types::Timestamp>) -> ListRevocationsResponse {
        let request = ListRevocationsRequest { start_time };
        self.client_as("orders").list_revocations(request).await.unwrap().into_inner()
    }

    async fn session_of(&self, session: &Session) -> String {
        let request = bearer(ListSessionsRequest {}, &session.access_token);
        let sessions = self.accounts().list_sessions(request).await.unwrap().into_inner().sessions;
        sessions.into_iter().find(|session| session.current).unwrap().session_id
    }
}

#[tokio::test]
async fn whatever_ends_a_session_ends_its_access_token_too() {
    let world = World::start().await;
    let client = world.client();
    let kept = world.register("ada@example.com").await;
    let [out, reused] = [
        login(&client, "ada@example.com", PASSWORD).await.unwrap(),
        login(&client, "ada@example.com", PASSWORD).await.unwrap(),
    ];
    let ids = HashSet::from([world.session_of(&out).await, world.session_of(&reused).await]);
    assert_eq!(world.revoked(None).await.revocations, []);

    logout(&client, &out.refresh_token).await.unwrap();
    refresh(&client, &reused.refresh_token).await.unwrap();
    refresh(&client, &reused.refresh_token).await.expect_err("used twice");
    let told = world.revoked(None).await;
    let subjects: HashSet<_> = told.revocations.iter().map(|r| r.subject_id.clone()).collect();
    assert_eq!(subjects, ids);
    for revocation in &told.revocations {
        let (at, until) = (revocation.revoke_time.unwrap(), revocation.forget_time.unwrap());
        assert!(until.seconds - at.seconds >= 900, "as long as a token lives: {revocation:?}");
    }
    // What was revoked a moment ago is told again: its transaction may have been slow.
    assert_eq!(world.revoked(told.next_start_time).await.revocations.len(), 2);
    let later = prost_types::Timestamp { seconds: i64::from(i32::MAX), nanos: 0 };
    assert_eq!(world.revoked(Some(later)).await.revocations, []);

    for session in [&out, &reused] {
        eventually("its access token is refused", async || {
            let status = me(&client, &session.access_token).await.err()?;
            Some(refused::<()>(Err(status), Code::Unauthenticated, "TOKEN_INVALID"))
        })
        .await;
    }
    assert!(me(&client, &kept.access_token).await.is_ok());
}

#[tokio::test]
async fn a_session_that_is_deleted_with_its_account_is_not_believed_either() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let id = world.session_of(&session).await;
    sqlx::query("delete from users where email = 'ada@example.com'")
        .execute(world.pool())
        .await
        .unwrap();
    let told = world.revoked(None).await.revocations;
    assert_eq!(told.iter().map(|r| r.subject_id.as_str()).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn the_edge_is_not_told() {
    let world = World::start().await;
    let answer = world.client().list_revocations(ListRevocationsRequest::default()).await;
    refused(answer, Code::PermissionDenied, "CALLER_NOT_ALLOWED");
}

//! The log of security events: complete, and nobody changes it unseen.

use proto::identity::v1::{AuditLogVerification, ListSecurityEventsRequest, VerifyAuditLogRequest};
use testkit::bearer;
use tonic::Code;

use crate::world::{PASSWORD, World, login, logout, refresh, refused, user_id};

impl World {
    async fn verify_log(&self) -> AuditLogVerification {
        let request = bearer(VerifyAuditLogRequest {}, &self.admin_token().await);
        self.security_as("tools").verify_audit_log(request).await.unwrap().into_inner()
    }

    /// As somebody who owns the database.
    async fn tamper(&self, change: &[&'static str]) {
        for sql in [&["alter table security_events disable trigger user"], change].concat() {
            sqlx::query(sql).execute(self.pool()).await.unwrap();
        }
    }

    async fn some_events(&self) -> proto::identity::v1::Session {
        let (session, client) = (self.register("ada@example.com").await, self.client());
        login(&client, "ada@example.com", "not the password").await.unwrap_err();
        login(&client, "nobody@example.com", "not the password").await.unwrap_err();
        let second = login(&client, "ada@example.com", PASSWORD).await.unwrap();
        refresh(&client, &second.refresh_token).await.unwrap();
        // A thief, or the owner after one.
        refresh(&client, &second.refresh_token).await.unwrap_err();
        logout(&client, &session.refresh_token).await.unwrap();
        session
    }
}

#[tokio::test]
async fn an_accounts_events_are_listed_newest_first() {
    let world = World::start().await;
    let session = world.some_events().await;
    let token = world.admin_token().await;
    let list = async |page_token: String| {
        let user_id = user_id(&session).to_string();
        let request = ListSecurityEventsRequest { user_id, page_size: 3, page_token };
        let answer = world.security_as("edge").list_security_events(bearer(request, &token)).await;
        answer.unwrap().into_inner()
    };
    let page = list(String::new()).await;
    let mut events = page.events;
    events.extend(list(page.next_page_token).await.events);
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["sessions.revoked", "login.succeeded", "login.failed", "account.registered"]
    );
    let request =
        ListSecurityEventsRequest { user_id: user_id(&session).to_string(), ..Default::default() };
    // The session of before has ended.
    let theirs = login(&world.client(), "ada@example.com", PASSWORD).await.unwrap();
    let request = bearer(request, &theirs.access_token);
    let own = world.security_as("edge").list_security_events(request).await;
    refused(own, Code::PermissionDenied, "PERMISSION_DENIED");
}

#[tokio::test]
async fn the_chain_holds_and_shows_every_kind_of_change() {
    let changes: [&[&str]; 7] = [
        &["update security_events set kind = 'login.succeeded' where kind = 'login.failed'"],
        &["update security_events set at = at + interval '1 hour' where sequence = 3"],
        &["update security_events set client_address = '10.0.0.1' where sequence = 3"],
        &["update security_events set user_id = gen_random_uuid() where sequence = 2"],
        &["update security_events set hash = sha256('other') where sequence = 3"],
        &["delete from security_events where sequence = 3"],
        // And the gap closed.
        &[
            "delete from security_events where sequence = 3",
            "update security_events set sequence = sequence + 1000000 where sequence > 3",
            "update security_events set sequence = sequence - 1000001 where sequence > 1000000",
        ],
    ];
    for change in changes {
        let world = World::start().await;
        world.some_events().await;
        let before = world.verify_log().await;
        assert!(before.intact && before.entry_count >= 6 && before.head.len() == 64, "{before:?}");
        world.tamper(change).await;
        let after = world.verify_log().await;
        assert!(!after.intact && (2..=4).contains(&after.broken_sequence), "{change:?}: {after:?}");
    }
}

#[tokio::test]
async fn nobody_changes_or_empties_it_by_mistake() {
    let world = World::start().await;
    world.some_events().await;
    for sql in [
        "update security_events set kind = 'nothing'",
        "update security_events set user_id = gen_random_uuid()",
        "delete from security_events",
        "truncate security_events",
    ] {
        let error = sqlx::query(sql).execute(world.pool()).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
}

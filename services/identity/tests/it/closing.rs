//! The end of an account, as far as identity is concerned.

use proto::identity::v1::{CloseAccountRequest, ExportMeRequest, Session, VerifyAuditLogRequest};
use testkit::{bearer, eventually};
use tonic::{Code, Status};

use crate::world::{ADMIN_EMAIL, PASSWORD, World, login, me, refresh, refused, user_id};

impl World {
    async fn close(&self, session: &Session, password: &str) -> Result<(), Status> {
        let request = CloseAccountRequest { current_password: password.to_owned() };
        self.accounts().close_account(bearer(request, &session.access_token)).await.map(drop)
    }

    /// How many rows of all tables have this text somewhere.
    async fn mentions(&self, text: &str) -> i64 {
        let tables: Vec<String> = sqlx::query_scalar(
            "select table_name::text from information_schema.tables
             where table_schema = 'public' and table_type = 'BASE TABLE'",
        )
        .fetch_all(self.pool())
        .await
        .unwrap();
        let mut mentions = 0;
        for table in tables {
            // What is kept as bytes may have it too.
            let sql = format!(
                "select count(*) from \"{table}\" t where position($1 in t::text) > 0
                     or position(encode(convert_to($1, 'UTF8'), 'hex') in t::text) > 0"
            );
            let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(text)
                .fetch_one(self.pool())
                .await
                .unwrap();
            mentions += count;
        }
        mentions
    }
}

#[tokio::test]
async fn a_closed_account_is_gone_at_once_and_its_address_is_free() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    refused(world.close(&session, "not it").await, Code::InvalidArgument, "PASSWORD_WRONG");
    world.close(&session, PASSWORD).await.unwrap();

    let client = world.client();
    eventually("the token that is out is no good any more", async || {
        let status = me(&client, &session.access_token).await.expect_err("a refusal");
        let reason = testkit::reason(&status);
        assert!(["USER_NOT_FOUND", "TOKEN_INVALID"].contains(&reason.as_str()), "{status:?}");
        (reason == "TOKEN_INVALID").then_some(())
    })
    .await;
    let dead = refresh(&client, &session.refresh_token).await;
    refused(dead, Code::Unauthenticated, "REFRESH_TOKEN_INVALID");
    let gone = login(&client, "ada@example.com", PASSWORD).await;
    refused(gone, Code::Unauthenticated, "BAD_CREDENTIALS");
    refused(world.close(&session, PASSWORD).await, Code::Unauthenticated, "TOKEN_INVALID");
    let again = world.register("ada@example.com").await;
    assert_ne!(user_id(&again), user_id(&session));
}

#[tokio::test]
async fn the_last_admin_cannot_close_their_account() {
    let world = World::start().await;
    let admin = login(&world.client(), ADMIN_EMAIL, PASSWORD).await.unwrap();
    refused(world.close(&admin, PASSWORD).await, Code::FailedPrecondition, "LAST_ADMIN");
    assert!(login(&world.client(), ADMIN_EMAIL, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn an_account_is_remembered_until_everybody_else_has_erased_it() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    world.close(&session, PASSWORD).await.unwrap();
    let tries = eventually("the erasure is tried, and nobody answers", async || {
        let tries: i32 =
            sqlx::query_scalar("select tries from erasures").fetch_one(world.pool()).await.unwrap();
        (tries > 1).then_some(tries)
    })
    .await;
    assert!(tries > 1);
    assert!(world.mentions(&user_id(&session).to_string()).await > 0);
}

#[tokio::test]
async fn nothing_personal_is_left_once_everybody_has() {
    let world = World::start().await;
    let session = world.register("zanzibar-7f3a@example.com").await;
    let id = user_id(&session).to_string();
    world.moves_in(&session, "zanzibar-7f3a street").await;
    eventually("the facts of the registration are sent", async || {
        let unsent: i64 = sqlx::query_scalar("select count(*) from outbox where sent_at is null")
            .fetch_one(world.pool())
            .await
            .unwrap();
        (unsent == 0).then_some(())
    })
    .await;
    world.close(&session, PASSWORD).await.unwrap();
    // As if the other services had answered.
    sqlx::query(
        "update erasures set done = '{cart,orders,payments,notifications}', next_try_at = now()",
    )
    .execute(world.pool())
    .await
    .unwrap();
    eventually("nothing of the person is left", async || {
        // The record that she was erased is what is left of her id.
        let left = (world.mentions("zanzibar-7f3a").await, world.mentions(&id).await);
        let done: bool = sqlx::query_scalar("select finished_at is not null from erasures")
            .fetch_one(world.pool())
            .await
            .unwrap();
        (left == (0, 1) && done).then_some(())
    })
    .await;
    let request = bearer(VerifyAuditLogRequest {}, &world.admin_token().await);
    let log = world.security_as("tools").verify_audit_log(request).await.unwrap().into_inner();
    assert!(log.intact && log.entry_count >= 5, "{log:?}");
}

#[tokio::test]
async fn an_export_needs_every_service() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let request = bearer(ExportMeRequest {}, &session.access_token);
    let answer = world.accounts().export_me(request).await;
    refused(answer, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
}

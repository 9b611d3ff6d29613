//! Erasures that are done: listed, and done again after a restore.

use proto::identity::v1::{
    CloseAccountRequest, Erasure, ListErasuresRequest, RepeatErasuresRequest,
    RepeatErasuresResponse,
};
use testkit::{bearer, eventually};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::world::{ADMIN_EMAIL, PASSWORD, World, login, refused, user_id};

impl World {
    async fn list_erasures(&self, since: Option<prost_types::Timestamp>) -> Vec<Erasure> {
        let token = self.admin_token().await;
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListErasuresRequest { start_time: since, page_size: 1, page_token };
            let page = self.erasures().list_erasures(bearer(request, &token)).await;
            let page = page.unwrap().into_inner();
            all.extend(page.erasures);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    async fn repeat(&self, users: &[Uuid]) -> Result<RepeatErasuresResponse, Status> {
        let request = RepeatErasuresRequest {
            user_ids: users.iter().map(ToString::to_string).collect(),
            reason: "identity was restored".to_owned(),
        };
        let request = bearer(request, &self.admin_token().await);
        Ok(self.erasures().repeat_erasures(request).await?.into_inner())
    }

    /// Registers somebody, who closes the account.
    async fn leaves(&self, email: &str) -> Uuid {
        let session = self.register(email).await;
        let close = CloseAccountRequest { current_password: PASSWORD.to_owned() };
        self.accounts().close_account(bearer(close, &session.access_token)).await.unwrap();
        user_id(&session)
    }

    /// As if the other services had answered; waits for the end.
    async fn erased(&self) {
        eventually("all are erased", async || {
            sqlx::query(
                "update erasures set done = '{cart,orders,payments,notifications}',
                     next_try_at = now() where finished_at is null",
            )
            .execute(self.pool())
            .await
            .unwrap();
            let left: i64 =
                sqlx::query_scalar("select count(*) from erasures where finished_at is null")
                    .fetch_one(self.pool())
                    .await
                    .unwrap();
            (left == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn erasures_are_listed_latest_first_and_since_a_moment() {
    let world = World::start().await;
    let first = world.leaves("ada@example.com").await;
    world.erased().await;
    let second = world.leaves("grace@example.com").await;
    let all = world.list_erasures(None).await;
    let ids: Vec<_> = all.iter().map(|erasure| erasure.user_id.clone()).collect();
    assert_eq!(ids, [second.to_string(), first.to_string()]);
    assert_eq!(all.iter().map(|e| e.finish_time.is_some()).collect::<Vec<_>>(), [false, true]);
    // A backup made after the first was done knows nothing of her.
    let end = all[1].finish_time.unwrap();
    let after = prost_types::Timestamp { seconds: end.seconds + 1, nanos: 0 };
    let since = world.list_erasures(Some(after)).await;
    assert_eq!(since.iter().map(|e| e.user_id.clone()).collect::<Vec<_>>(), [second.to_string()]);
    assert_eq!(world.list_erasures(Some(end)).await.len(), 2);
}

#[tokio::test]
async fn after_a_restore_whoever_came_back_is_erased_again_and_nobody_else() {
    let world = World::start().await;
    let gone = world.leaves("ada@example.com").await;
    world.erased().await;
    // The backup knew her, and did not know that she was erased.
    let back = world.register("grace@example.com").await;
    let stays = world.register("joan@example.com").await;
    let known = [gone, user_id(&back), Uuid::now_v7()];
    let begun = world.repeat(&known).await.unwrap();
    assert_eq!((begun.erasure_count, begun.account_count), (3, 1));
    let answer = login(&world.client(), "grace@example.com", PASSWORD).await;
    refused(answer, Code::Unauthenticated, "BAD_CREDENTIALS");
    world.erased().await;
    let left: Vec<Uuid> =
        sqlx::query_scalar("select id from users").fetch_all(world.pool()).await.unwrap();
    assert!(!left.contains(&user_id(&back)) && left.contains(&user_id(&stays)));
    let all = world.list_erasures(None).await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|erasure| erasure.finish_time.is_some()), "{all:?}");
    // It may be done as often as one likes.
    assert_eq!(world.repeat(&known).await.unwrap().account_count, 0);
}

#[tokio::test]
async fn the_last_administrator_is_not_erased() {
    let world = World::start().await;
    let admin = user_id(&login(&world.client(), ADMIN_EMAIL, PASSWORD).await.unwrap());
    let refusal = world.repeat(&[admin]).await;
    refused(refusal, Code::FailedPrecondition, "LAST_ADMIN");
    assert!(login(&world.client(), ADMIN_EMAIL, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_customer_neither_sees_nor_repeats_erasures() {
    let world = World::start().await;
    let session = world.register("ada@example.com").await;
    let token = &session.access_token;
    let list = bearer(ListErasuresRequest::default(), token);
    let list = world.erasures().list_erasures(list).await;
    refused(list, Code::PermissionDenied, "PERMISSION_DENIED");
    let (user_ids, reason) = (vec![user_id(&session).to_string()], "no".to_owned());
    let repeat = bearer(RepeatErasuresRequest { user_ids, reason }, token);
    let repeat = world.erasures().repeat_erasures(repeat).await;
    refused(repeat, Code::PermissionDenied, "PERMISSION_DENIED");
}

//! What is old is removed; what is not handled, not settled or money is not.

use uuid::Uuid;

use crate::refund::Manager;
use crate::road::Traffic;
use crate::world::{Options, Order, World, eur};

#[tokio::test]
async fn handled_webhooks_are_removed_after_their_time_and_others_are_kept() {
    let world = World::start().await;
    // More than one batch of old ones.
    sqlx::query(
        "insert into webhook_events (provider, event_id, type, body, received_at, handled_at,
                                     outcome, check_at)
         select 'sandbox', 'old_' || n, 'x', ''::bytea, now() - interval '31 days',
             now() - interval '31 days', 'ignored', null::timestamptz
         from generate_series(1, 2500) as n
         union all select 'sandbox', 'young', 'x', '', now() - interval '31 days',
             now() - interval '29 days', 'ignored', null
         union all select 'sandbox', 'open', 'x', '', now() - interval '99 days', null,
             null,
             now() + interval '1 hour'",
    )
    .execute(&world.database.pool)
    .await
    .unwrap();
    let kept: Vec<String> = testkit::eventually("the old ones are gone", async || {
        let ids = sqlx::query_scalar("select event_id from webhook_events order by 1");
        let ids: Vec<String> = ids.fetch_all(&world.database.pool).await.unwrap();
        (ids.len() == 2).then_some(ids)
    })
    .await;
    assert_eq!(kept, ["open", "young"]);
}

#[tokio::test]
async fn idempotency_keys_are_forgotten_after_their_time_and_refunds_stay() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let payment = world.captured(&Order::by("tok_visa")).await;
    manager.refund(&payment, Some(eur(100)), "old").await.unwrap();
    manager.refund(&payment, Some(eur(100)), "young").await.unwrap();
    world.road.set(Traffic::LosesAnswers);
    manager.refund(&payment, Some(eur(100)), "open").await.expect_err("no answer");
    sqlx::query(
        "update refunds set updated_at = now() - interval '31 days'
         where idempotency_key in ('old', 'open')",
    )
    .execute(&world.database.pool)
    .await
    .unwrap();
    let keys = async || -> Vec<Option<String>> {
        sqlx::query_scalar("select idempotency_key from refunds order by created_at, id")
            .fetch_all(&world.database.pool)
            .await
            .unwrap()
    };
    testkit::eventually("the old key is gone", async || keys().await[0].is_none().then_some(()))
        .await;
    let some = |key: &str| Some(key.to_owned());
    assert_eq!(keys().await, [None, some("young"), some("open")]);
    let asked = "select count(*) from refunds where requested_by is not null";
    assert_eq!(world.count(asked).await, 3, "who asked is kept");
    assert_eq!(world.balance("refunds").await, 200);
}

/// A refund that was reserved when the process died before it asked the provider.
#[tokio::test]
async fn a_refund_that_was_reserved_and_never_asked_for_is_made_once() {
    let options = Options { sweep_after_millis: 200, ..Options::default() };
    let world = World::with(options).await;
    let order = Order::by("tok_visa");
    let payment = world.captured(&order).await;
    let manager = Manager::of(&world);
    world.road.set(Traffic::Blocked);
    manager.refund(&payment, Some(eur(400)), "key").await.expect_err("nothing gets through");
    assert_eq!(world.charges().await, [("captured".to_owned(), 0)]);
    world.road.set(Traffic::Flows);
    world.becomes(&order, "partially_refunded").await;
    let again = manager.refund(&payment, Some(eur(400)), "key").await.unwrap();
    assert_eq!(again.refunded, Some(eur(400)));
    assert_eq!(world.charges().await, [("partially_refunded".to_owned(), 400)]);
    world.money_agrees().await;
}

#[tokio::test]
async fn the_same_key_at_the_same_time_for_two_payments_is_used_by_one() {
    let world = World::start().await;
    let manager = Manager::of(&world);
    let one = world.captured(&Order::by("tok_visa")).await;
    let other = world.captured(&Order::by("tok_visa")).await;
    let key = Uuid::now_v7().to_string();
    let (a, b) = tokio::join!(
        manager.refund(&one, Some(eur(100)), &key),
        manager.refund(&other, Some(eur(100)), &key)
    );
    let refused = [a, b].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(refused.len(), 1);
    assert_eq!(testkit::reason(&refused[0]), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(world.balance("refunds").await, 100);
    world.money_agrees().await;
}

//! What is old is forgotten, and nothing else.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use orders::core::ports::Archive;
use orders::core::purge::Retention;
use orders::infrastructure::PostgresArchive;
use proto::orders::v1::{Order, OrderState};

use uuid::{Builder, Uuid};

use crate::stage::{Customer, Instance, Stage, id_of, settled};
use crate::world::Call;

const DAY: Duration = Duration::from_secs(86_400);
const RETENTION: Retention = Retention {
    undone_sagas: Duration::from_secs(30 * 86_400),
    sold_sagas: Duration::from_secs(90 * 86_400),
    keys: DAY,
};

async fn failed(stage: &Stage, shop: &Instance) -> (Customer, Order) {
    let ada = stage.customer();
    stage.world.decline(ada.id, "PAYMENT_DECLINED");
    let order = ada.place(&shop.client, "k").await.unwrap();
    settled(stage, &order).await;
    (ada, order)
}

async fn sold(stage: &Stage, shop: &Instance) -> (Customer, Order) {
    let ada = stage.customer();
    let order = ada.place(&shop.client, "k").await.unwrap();
    settled(stage, &order).await;
    (ada, order)
}

/// Everything about the order happened so many days earlier.
async fn age(stage: &Stage, order: &Order, days: i32) {
    for statement in [
        "update sagas set next_run_at = next_run_at - make_interval(days => $2) where order_id = $1",
        "update idempotency_keys set created_at = created_at - make_interval(days => $2)
         where order_id = $1",
    ] {
        let aged = sqlx::query(statement).bind(id_of(order)).bind(days);
        aged.execute(&stage.database.pool).await.unwrap();
    }
}

/// The same order with its saga, placed so many days earlier.
async fn placed_before(stage: &Stage, order: &Order, days: u64) -> Uuid {
    let day = types::now() - DAY * u32::try_from(days).unwrap();
    let millis = u64::try_from(day.unix_timestamp_nanos() / 1_000_000).unwrap();
    let id = Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
    for statement in [
        "insert into orders select (jsonb_populate_record(orders, jsonb_build_object(
             'id', $2, 'created_at', created_at - make_interval(days => $3)))).*
         from orders where id = $1",
        "insert into sagas select (jsonb_populate_record(sagas, jsonb_build_object(
             'order_id', $2, 'next_run_at', next_run_at - make_interval(days => $3)))).*
         from sagas where order_id = $1",
    ] {
        let copied = sqlx::query(statement).bind(id_of(order)).bind(id);
        let copied = copied.bind(i32::try_from(days).unwrap());
        copied.execute(&stage.database.pool).await.unwrap();
    }
    id
}

/// The orders whose sagas are still there.
async fn remembered(stage: &Stage) -> HashSet<Uuid> {
    let sagas = sqlx::query_scalar("select order_id from sagas").fetch_all(&stage.database.pool);
    sagas.await.unwrap().into_iter().collect()
}

#[tokio::test]
async fn old_sagas_that_took_nothing_and_old_keys_are_forgotten() {
    let (stage, shop) = Stage::with_instance().await;
    let archive = PostgresArchive::new(stage.database.pool.clone());
    let (old, recent) = (failed(&stage, &shop).await, failed(&stage, &shop).await);
    let (sold_in_spring, sold_today) = (sold(&stage, &shop).await, sold(&stage, &shop).await);
    for order in [&old.1, &sold_in_spring.1] {
        age(&stage, order, 31).await;
    }
    assert_eq!(archive.forget(RETENTION).await.unwrap(), (1, 2));
    assert_eq!(archive.forget(RETENTION).await.unwrap(), (0, 0));
    let kept = [&recent.1, &sold_in_spring.1, &sold_today.1].map(id_of);
    assert_eq!(remembered(&stage).await, HashSet::from(kept));
    for (customer, order) in [&recent, &sold_today] {
        assert_eq!(customer.place(&shop.client, "k").await.unwrap(), *order, "the key is kept");
    }
    for (customer, order) in [&old, &recent, &sold_in_spring] {
        assert_eq!(customer.get(&shop.client, &order.order_id).await.unwrap(), *order);
    }
}

#[tokio::test]
async fn sagas_of_sold_orders_are_forgotten_later_and_none_that_has_not_ended() {
    let (stage, shop) = Stage::with_instance().await;
    let archive = PostgresArchive::new(stage.database.pool.clone());
    let (_, order) = sold(&stage, &shop).await;
    let _old = [placed_before(&stage, &order, 365).await, placed_before(&stage, &order, 91).await];
    let running = placed_before(&stage, &order, 365).await;
    sqlx::query(
        "update sagas set status = 'running', lease_owner = gen_random_uuid(),
             lease_until = now() + interval '1 hour' where order_id = $1",
    )
    .bind(running)
    .execute(&stage.database.pool)
    .await
    .unwrap();
    let in_spring = placed_before(&stage, &order, 89).await;
    // Placed long ago, and something happened to it lately.
    let lately = placed_before(&stage, &order, 365).await;
    sqlx::query("update sagas set next_run_at = now() where order_id = $1")
        .bind(lately)
        .execute(&stage.database.pool)
        .await
        .unwrap();
    assert_eq!(archive.forget(RETENTION).await.unwrap(), (2, 0));
    let kept = HashSet::from([running, in_spring, lately, id_of(&order)]);
    assert_eq!(remembered(&stage).await, kept);
}

#[tokio::test]
async fn an_order_that_was_sold_can_be_cancelled_when_its_saga_is_forgotten() {
    let (stage, shop) = Stage::with_instance().await;
    let archive = PostgresArchive::new(stage.database.pool.clone());
    let (ada, order) = sold(&stage, &shop).await;
    let forgotten = sqlx::query("delete from sagas").execute(&stage.database.pool).await;
    assert_eq!(forgotten.unwrap().rows_affected(), 1);
    // Whoever asks for it at the same moment meets one saga, not two.
    let cancelling = (0..4).map(|_| ada.cancel(&shop.client, &order.order_id));
    for cancelled in join_all(cancelling).await {
        assert_eq!(cancelled.unwrap().state(), OrderState::Cancelled);
    }
    let cancelled = ada.get(&shop.client, &order.order_id).await.unwrap();
    assert_eq!(cancelled.payment_id, order.payment_id);
    stage.assert_given_back(&ada, &cancelled);
    let calls = stage.world.calls_of(id_of(&order));
    assert_eq!(calls[5..], [Call::Reverse, Call::Release]);
    // It is a saga like any other, and goes the way of those that took nothing.
    age(&stage, &order, 31).await;
    assert_eq!(archive.forget(RETENTION).await.unwrap().0, 1);
    let again = ada.cancel(&shop.client, &order.order_id).await.unwrap();
    assert_eq!(again, cancelled);
}

#[tokio::test]
async fn a_saga_that_has_not_ended_is_never_forgotten() {
    let (stage, shop) = Stage::with_instance().await;
    let archive = PostgresArchive::new(stage.database.pool.clone());
    let (ada, order) = sold(&stage, &shop).await;
    sqlx::query(
        "update sagas set status = 'running', next_run_at = now() - interval '1 year',
                 lease_owner = gen_random_uuid(), lease_until = now() + interval '1 hour'",
    )
    .execute(&stage.database.pool)
    .await
    .unwrap();
    assert_eq!(archive.forget(RETENTION).await.unwrap(), (0, 0));
    assert_eq!(ada.place(&shop.client, "k").await.unwrap().order_id, order.order_id);
}

#[tokio::test]
async fn keys_are_kept_for_a_day_whatever_is_set() {
    let stage = Stage::open().await;
    let refusal = stage.refused(&["--idempotency-key-retention-hours=23"]).await;
    assert!(refusal.contains("IDEMPOTENCY_KEY_RETENTION_HOURS"), "{refusal}");
}

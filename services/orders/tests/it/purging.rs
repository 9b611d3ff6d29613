//! What is old is forgotten, and nothing else.

use std::time::Duration;

use orders::core::ports::Archive;
use orders::core::purge::Retention;
use orders::infrastructure::PostgresArchive;
use proto::orders::v1::{Order, OrderState};

use crate::stage::{Customer, Instance, Stage, id_of, settled};

const DAY: Duration = Duration::from_secs(86_400);
const RETENTION: Retention = Retention { sagas: Duration::from_secs(30 * 86_400), keys: DAY };

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

#[tokio::test]
async fn old_sagas_that_took_nothing_and_old_keys_are_forgotten() {
    let (stage, shop) = Stage::with_instance().await;
    let archive = PostgresArchive::new(stage.database.pool.clone());
    let (old, recent) = (failed(&stage, &shop).await, failed(&stage, &shop).await);
    let (sold_long_ago, sold_today) = (sold(&stage, &shop).await, sold(&stage, &shop).await);
    for order in [&old.1, &sold_long_ago.1] {
        age(&stage, order, 31).await;
    }
    assert_eq!(archive.forget(RETENTION).await.unwrap(), (1, 2));
    assert_eq!(archive.forget(RETENTION).await.unwrap(), (0, 0));
    for (customer, order) in [&recent, &sold_today] {
        assert_eq!(customer.place(&shop.client, "k").await.unwrap(), *order, "the key is kept");
    }
    for (customer, order) in [&old, &recent, &sold_long_ago] {
        assert_eq!(customer.get(&shop.client, &order.order_id).await.unwrap(), *order);
    }
    // An order that was sold can be cancelled however long ago that was.
    let (customer, order) = &sold_long_ago;
    let cancelled = customer.cancel(&shop.client, &order.order_id).await.unwrap();
    assert_eq!(cancelled.state(), OrderState::Cancelled);
    stage.assert_given_back(customer, &cancelled);
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

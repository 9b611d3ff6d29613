//! Reservations whose time runs out.

use testkit::{eventually, reason};
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn stock_comes_back_when_its_time_is_over() {
    let world = World::with_sweeps_every(1).await;
    let product = world.stocked(10).await;
    let (short, long, sold) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    world.reserve_for(short, &[(product, 3)], 1).await.unwrap();
    world.reserve_for(long, &[(product, 2)], 600).await.unwrap();
    world.reserve_for(sold, &[(product, 1)], 1).await.unwrap();
    world.commit(sold).await.unwrap();
    eventually("three pieces come back", async || {
        (world.level(product).await == (7, 2)).then_some(())
    })
    .await;

    // What is expired is not reserved again, and its release has nothing left to do.
    let again = world.reserve(short, &[(product, 3)]).await.unwrap_err();
    assert_eq!(reason(&again), "RESERVATION_CLOSED");
    world.release(short).await.unwrap();
    assert_eq!(world.level(product).await, (7, 2));
}

#[tokio::test]
async fn a_reservation_that_nobody_swept_yet_can_still_be_sold() {
    let world = World::start().await;
    let (product, order) = (world.stocked(10).await, Uuid::now_v7());
    world.reserve_for(order, &[(product, 3)], 600).await.unwrap();
    sqlx::query("update reservations set expires_at = now() - interval '1 minute'")
        .execute(&world.database.pool)
        .await
        .unwrap();
    world.commit(order).await.unwrap();
    assert_eq!(world.level(product).await, (7, 0));
}

#[tokio::test]
async fn more_reservations_than_fit_one_batch_expire_once_while_two_replicas_sweep() {
    let world = World::of(2, 1).await;
    let product = world.stocked(1_000).await;
    // As 250 orders would leave them.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        "insert into reservations (order_id, state, expires_at, created_at, updated_at)
         select gen_random_uuid(), 'held', now() + interval '1 second', now(), now()
         from generate_series(1, 250);
         insert into reservation_lines (order_id, product_id, quantity)
         select order_id, '{product}', 2 from reservations;
         update stock set available = available - 500, reserved = reserved + 500;"
    )))
    .execute(&world.database.pool)
    .await
    .unwrap();
    eventually("all pieces come back", async || {
        (world.level(product).await == (1_000, 0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_expired_reservation_can_be_sold_while_the_pieces_are_there() {
    let world = World::with_sweeps_every(1).await;
    let product = world.stocked(10).await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    world.reserve_for(first, &[(product, 4)], 1).await.unwrap();
    world.reserve_for(second, &[(product, 4)], 1).await.unwrap();
    eventually("all pieces come back", async || {
        (world.level(product).await == (10, 0)).then_some(())
    })
    .await;
    // Orders commits what it promised, however late it comes to it.
    world.commit(first).await.unwrap();
    world.commit(first).await.unwrap();
    assert_eq!(world.level(product).await, (6, 0));
    world.adjust(product, -3).await.unwrap();
    assert_eq!(reason(&world.commit(second).await.unwrap_err()), "RESERVATION_CLOSED");
    assert_eq!(world.level(product).await, (3, 0));
    world.release(first).await.unwrap();
    world.release(first).await.unwrap();
    assert_eq!(world.level(product).await, (7, 0));
}

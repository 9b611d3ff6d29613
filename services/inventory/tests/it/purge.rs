//! Reservations that were closed long ago are forgotten, and nothing comes of it.

use testkit::{eventually, reason};
use uuid::{NoContext, Timestamp, Uuid};

use crate::world::World;

/// The number of an order of that many days ago.
fn order_of(days_ago: u64) -> Uuid {
    let now = Timestamp::now(NoContext).to_unix().0;
    Uuid::new_v7(Timestamp::from_unix(NoContext, now - days_ago * 86_400, 0))
}

/// As if nothing had happened to it for 40 days.
async fn age(world: &World, order: Uuid) {
    let age = "update reservations set updated_at = now() - interval '40 days' where order_id = $1";
    sqlx::query(age).bind(order).execute(&world.database.pool).await.unwrap();
}

async fn known(world: &World) -> Vec<Uuid> {
    let known = "select order_id from reservations order by order_id";
    sqlx::query_scalar(known).fetch_all(&world.database.pool).await.unwrap()
}

#[tokio::test]
async fn closed_reservations_are_forgotten_after_their_time_and_held_ones_never() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    let (old, held, young) = (order_of(29), Uuid::now_v7(), Uuid::now_v7());
    for order in [old, held, young] {
        world.reserve(order, &[(product, 2)]).await.unwrap();
    }
    world.commit(old).await.unwrap();
    world.commit(young).await.unwrap();
    age(&world, old).await;
    age(&world, held).await;
    world.add_replica().await;
    eventually("the old one is gone", async || (!known(&world).await.contains(&old)).then_some(()))
        .await;
    assert!(known(&world).await.contains(&young));
    let lines: i64 = sqlx::query_scalar("select count(*) from reservation_lines where order_id = $1")
        .bind(old)
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
    assert_eq!(lines, 0);
    assert!(known(&world).await.contains(&held));
    assert_eq!(world.level(product).await, (4, 2));
}

#[tokio::test]
async fn an_order_so_old_that_it_may_be_forgotten_reserves_nothing() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    let refused = world.reserve(order_of(31), &[(product, 1)]).await.unwrap_err();
    assert_eq!(reason(&refused), "RESERVATION_CLOSED");
    world.reserve(order_of(29), &[(product, 1)]).await.unwrap();
    assert_eq!(world.level(product).await, (9, 1));
}

//! Many buyers at once.

use futures::future::join_all;
use testkit::reason;
use tokio::sync::Semaphore;
use tonic::Code;
use uuid::Uuid;

use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_buyers_of_a_hundred_pieces_at_two_replicas_buy_exactly_a_hundred() {
    let world = World::of(2, 3_600).await;
    let product = world.stocked(100).await;
    let lines = [(product, 1)];
    // All want it now; the calls' deadlines are for so many at a time on two cores.
    let door = Semaphore::new(100);
    let buyers = (0..1_000).map(async |_| {
        let (order, _turn) = (Uuid::now_v7(), door.acquire().await.unwrap());
        loop {
            match world.reserve(order, &lines).await {
                // Nobody knows what came of it; asking again for the same order is safe.
                Err(late) if late.code() == Code::DeadlineExceeded => {}
                answer => return answer.map(|_| order),
            }
        }
    });
    let mut bought = Vec::new();
    for answer in join_all(buyers).await {
        match answer {
            Ok(order) => bought.push(order),
            Err(refused) => assert_eq!(reason(&refused), "STOCK_INSUFFICIENT", "{refused}"),
        }
    }
    assert_eq!(bought.len(), 100);
    assert_eq!(world.level(product).await, (0, 100));
    for sold in join_all(bought.into_iter().map(|order| world.commit(order))).await {
        sold.unwrap();
    }
    assert_eq!(world.level(product).await, (0, 0));
    let sold =
        "select sum(quantity)::bigint from reservation_lines join reservations using (order_id)
                where state = 'committed'";
    let sold: i64 = sqlx::query_scalar(sold).fetch_one(&world.database.pool).await.unwrap();
    assert_eq!(sold, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_that_name_the_same_products_in_opposite_order_do_not_deadlock() {
    let world = World::start().await;
    let products = [world.stocked(500).await, world.stocked(500).await, world.stocked(500).await];
    let forth = products.map(|product| (product, 1));
    let mut back = forth;
    back.reverse();
    let orders = (0..60).map(async |n| {
        let order = Uuid::now_v7();
        world.reserve(order, if n % 2 == 0 { &forth } else { &back }).await?;
        if n % 3 == 0 { world.commit(order).await } else { world.release(order).await }
    });
    for done in join_all(orders).await {
        done.unwrap();
    }
    for product in products {
        assert_eq!(world.level(product).await, (480, 0));
    }
}

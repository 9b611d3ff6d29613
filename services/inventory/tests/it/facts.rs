//! What inventory tells other services.

use prost::Message;
use proto::inventory::v1 as pb;
use uuid::Uuid;

use crate::world::World;

/// Every fact, oldest first.
async fn facts(world: &World) -> Vec<pb::StockLow> {
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select topic, payload from outbox order by position")
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
    let fact = |(topic, payload): (String, Vec<u8>)| {
        assert_eq!(topic, "inventory.v1.stock_low");
        pb::StockLow::decode(payload.as_slice()).unwrap()
    };
    rows.into_iter().map(fact).collect()
}

fn low(product: Uuid, available: i64) -> pb::StockLow {
    pb::StockLow { product_id: product.to_string(), available, threshold: 5 }
}

#[tokio::test]
async fn stock_that_falls_low_is_told_once_on_each_way_down() {
    let world = World::start().await;
    let product = world.stocked(8).await;
    world.adjust(product, -2).await.unwrap();
    assert_eq!(facts(&world).await, []);
    world.adjust(product, -1).await.unwrap();
    world.adjust(product, -1).await.unwrap();
    assert_eq!(facts(&world).await, [low(product, 5)]);
    world.adjust(product, 6).await.unwrap();
    world.adjust(product, -9).await.unwrap();
    assert_eq!(facts(&world).await, [low(product, 5), low(product, 1)]);
}

#[tokio::test]
async fn a_reservation_that_makes_stock_low_tells_it_for_each_product() {
    let world = World::start().await;
    let (a, b, plenty) = (world.stocked(8).await, world.stocked(6).await, world.stocked(99).await);
    let order = Uuid::now_v7();
    let lines = [(a, 8), (b, 1), (plenty, 1)];
    world.reserve(order, &lines).await.unwrap();
    world.reserve(order, &lines).await.unwrap();
    let mut told = facts(&world).await;
    told.sort_by_key(|fact| fact.available);
    assert_eq!(told, [low(a, 0), low(b, 5)]);
}

#[tokio::test]
async fn what_is_refused_is_not_told() {
    let world = World::start().await;
    let (a, b) = (world.stocked(6).await, world.stocked(6).await);
    world.reserve(Uuid::now_v7(), &[(a, 6), (b, 7)]).await.unwrap_err();
    world.adjust(a, -7).await.unwrap_err();
    assert_eq!(facts(&world).await, []);
}

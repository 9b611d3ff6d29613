//! What the catalogue tells other services.

use prost::Message;
use proto::catalog::v1 as pb;
use testkit::eventually;

use crate::world::{World, eur, pan};

/// Every fact about a product, oldest first.
async fn facts(world: &World, id: &str) -> Vec<pb::ProductChanged> {
    let rows: Vec<(String, Vec<u8>)> =
        sqlx::query_as("select topic, payload from outbox where key = $1 order by position")
            .bind(id)
            .fetch_all(&world.database.pool)
            .await
            .unwrap();
    let fact = |(topic, payload): (String, Vec<u8>)| {
        assert_eq!(topic, "catalog.v1.product_changed");
        pb::ProductChanged::decode(payload.as_slice()).unwrap()
    };
    rows.into_iter().map(fact).collect()
}

#[tokio::test]
async fn every_change_is_told_once_with_what_it_came_to() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    let cheaper = pb::Product { price: eur(1_000), ..Default::default() };
    world.try_update(&id, cheaper, None).await.unwrap();
    world.delete(&id).await.unwrap();
    let created = pb::ProductChanged {
        product_id: id.clone(),
        sku: "KIT-0042".to_owned(),
        name: "Frying pan".to_owned(),
        price: eur(3_999),
        deleted: false,
    };
    let changed = pb::ProductChanged { price: eur(1_000), ..created.clone() };
    let removed = pb::ProductChanged { deleted: true, ..changed.clone() };
    assert_eq!(facts(&world, &id).await, [created, changed, removed]);
}

#[tokio::test]
async fn what_changes_nothing_is_not_told() {
    let world = World::start().await;
    let old = world.create(pan()).await;
    let id = old.product_id.as_str();
    let same = pb::Product { name: pan().name, ..Default::default() };
    for (body, mask) in
        [(pan(), None), (pan(), Some(&["*"][..])), (same, None), (Default::default(), None)]
    {
        assert_eq!(world.try_update(id, body, mask).await.unwrap(), old);
    }
    assert_eq!(facts(&world, id).await.len(), 1);
}

#[tokio::test]
async fn what_is_refused_is_not_told() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    world.try_create(pan()).await.unwrap_err();
    let stray = pb::Product { category: "cars".to_owned(), ..Default::default() };
    world.try_update(&id, stray, None).await.unwrap_err();
    world.delete(&id).await.unwrap();
    world.delete(&id).await.unwrap_err();
    let all: i64 = sqlx::query_scalar("select count(*) from outbox")
        .fetch_one(&world.database.pool)
        .await
        .unwrap();
    assert_eq!((facts(&world, &id).await.len(), all), (2, 2));
}

#[tokio::test]
async fn the_broker_gets_what_is_told() {
    let world = World::start().await;
    world.create(pan()).await;
    eventually("the relay sends the fact", async || {
        let waiting: i64 = sqlx::query_scalar("select count(*) from outbox where sent_at is null")
            .fetch_one(&world.database.pool)
            .await
            .unwrap();
        (waiting == 0).then_some(())
    })
    .await;
}

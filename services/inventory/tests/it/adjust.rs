//! Stock that people see and change.

use proto::inventory::v1 as pb;
use testkit::{reason, with_key};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, adjustment};

#[tokio::test]
async fn a_product_that_never_had_stock_has_none() {
    let world = World::start().await;
    let product_id = Uuid::now_v7().to_string();
    let request = pb::GetStockRequest { product_id: product_id.clone() };
    let stock = world.edge().get_stock(request).await.unwrap().into_inner();
    assert_eq!(stock, pb::Stock { product_id, available: 0, reserved: 0, update_time: None });
}

#[tokio::test]
async fn stock_is_added_and_taken_away() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    let stock = world.adjust(product, 5).await.unwrap();
    assert_eq!((stock.available, stock.reserved), (15, 0));
    assert!(stock.update_time.is_some());
    assert_eq!(world.adjust(product, -15).await.unwrap().available, 0);
    assert_eq!(world.level(product).await, (0, 0));
}

#[tokio::test]
async fn no_more_is_taken_away_than_is_available() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    world.reserve(Uuid::now_v7(), &[(product, 4)]).await.unwrap();
    for (product, delta) in [(product, -7), (Uuid::now_v7(), -1)] {
        let refused = world.adjust(product, delta).await.unwrap_err();
        let told = (refused.code(), reason(&refused));
        assert_eq!(told, (Code::FailedPrecondition, "STOCK_INSUFFICIENT".to_owned()));
    }
    assert_eq!(world.level(product).await, (6, 4));
    assert_eq!(world.adjust(product, -6).await.unwrap().available, 0);
}

#[tokio::test]
async fn the_same_adjustment_again_has_the_same_answer_and_no_effect() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    let first = world.try_adjust("key", adjustment(product, 5)).await.unwrap();
    world.adjust(product, -12).await.unwrap();
    let again = world.try_adjust("key", adjustment(product, 5)).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(world.level(product).await, (3, 0));
}

#[tokio::test]
async fn a_key_is_for_one_adjustment_of_one_user() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    world.try_adjust("key", adjustment(product, 5)).await.unwrap();
    let why = pb::AdjustStockRequest { reason: "theft".to_owned(), ..adjustment(product, 5) };
    for other in [adjustment(product, 6), adjustment(Uuid::now_v7(), 5), why] {
        let refused = world.try_adjust("key", other).await.unwrap_err();
        let told = (refused.code(), reason(&refused));
        assert_eq!(told, (Code::AlreadyExists, "IDEMPOTENCY_KEY_REUSED".to_owned()));
    }
    let another = world.signed(Uuid::now_v7(), "admin", adjustment(product, 6));
    world.edge().adjust_stock(with_key(another, "key")).await.unwrap();
    assert_eq!(world.level(product).await, (21, 0));
}

#[tokio::test]
async fn a_refused_adjustment_does_not_use_up_its_key() {
    let world = World::start().await;
    let product = world.stocked(1).await;
    world.try_adjust("key", adjustment(product, -2)).await.unwrap_err();
    world.adjust(product, 1).await.unwrap();
    assert_eq!(world.try_adjust("key", adjustment(product, -2)).await.unwrap().available, 0);
}

#[tokio::test]
async fn one_key_used_many_times_at_once_has_one_effect() {
    let world = World::start().await;
    let product = Uuid::now_v7();
    let all = (0..16).map(|_| world.try_adjust("key", adjustment(product, 3)));
    for stock in futures::future::join_all(all).await {
        assert_eq!(stock.unwrap().available, 3);
    }
    assert_eq!(world.level(product).await, (3, 0));
}

#[tokio::test]
async fn adjustments_at_once_all_count() {
    let world = World::start().await;
    let product = world.stocked(20).await;
    let all = (0..20).map(|n| world.adjust(product, if n % 2 == 0 { 3 } else { -2 }));
    for stock in futures::future::join_all(all).await {
        stock.unwrap();
    }
    assert_eq!(world.level(product).await, (30, 0));
}

#[tokio::test]
async fn what_the_contract_rules_out_is_refused() {
    let world = World::start().await;
    let product = Uuid::now_v7();
    let nul = pb::AdjustStockRequest { reason: "\0".to_owned(), ..adjustment(product, 1) };
    for bad in [adjustment(product, 0), adjustment(product, 1_000_001), nul] {
        let refused = world.try_adjust("key", bad).await.unwrap_err();
        assert_eq!(reason(&refused), "VALIDATION_FAILED");
    }
    let keyless = world.signed(Uuid::now_v7(), "manager", adjustment(product, 1));
    let refused = world.edge().adjust_stock(keyless).await.unwrap_err();
    assert_eq!(reason(&refused), "IDEMPOTENCY_KEY_MISSING");
}

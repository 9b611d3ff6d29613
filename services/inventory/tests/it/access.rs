//! Who may call what: the gate, from the contract.

use proto::inventory::v1 as pb;
use testkit::{reason, with_key};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, adjustment};

#[tokio::test]
async fn only_orders_may_reserve_commit_and_release() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    let order_id = Uuid::now_v7().to_string();
    for workload in ["cart", "edge", "tools", "payments", "inventory"] {
        let line = pb::Line { product_id: product.to_string(), quantity: 1 };
        let order_id = order_id.clone();
        let reserve = pb::ReserveRequest {
            order_id: order_id.clone(),
            lines: vec![line],
            ttl_seconds: 60,
            synthetic: false,
        };
        let reserved = world.from(workload).reserve(reserve).await.map(drop);
        let commit = pb::CommitRequest { order_id: order_id.clone() };
        let committed = world.from(workload).commit(commit).await.map(drop);
        let released = world.from(workload).release(pb::ReleaseRequest { order_id }).await;
        for refused in [reserved, committed, released.map(drop)] {
            let refused = refused.unwrap_err();
            let told = (refused.code(), reason(&refused));
            let denied = (Code::PermissionDenied, "CALLER_NOT_ALLOWED".to_owned());
            assert_eq!(told, denied, "{workload}");
        }
    }
    assert_eq!(world.level(product).await, (10, 0));
}

#[tokio::test]
async fn a_customer_may_see_stock_but_not_adjust_it() {
    let world = World::start().await;
    let product = world.stocked(10).await;
    let request = world.signed(Uuid::now_v7(), "customer", adjustment(product, 1));
    let refused = world.edge().adjust_stock(with_key(request, "key")).await.unwrap_err();
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::PermissionDenied, "PERMISSION_DENIED".to_owned()));
    let anonymous = with_key(tonic::Request::new(adjustment(product, 1)), "key");
    let refused = world.edge().adjust_stock(anonymous).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(world.level(product).await, (10, 0));
}

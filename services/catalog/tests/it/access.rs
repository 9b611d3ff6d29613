//! Who may call what: the gate, from the contract.

use proto::catalog::v1 as pb;
use testkit::reason;
use tonic::{Code, Request};

use crate::world::{World, pan};

#[tokio::test]
async fn a_customer_may_not_change_the_catalogue() {
    let world = World::start().await;
    let product = world.create(pan()).await;
    let id = product.product_id.clone();
    let create = pb::CreateProductRequest { product: Some(pan()) };
    let create = world.edge().create_product(world.signed("customer", create)).await.map(drop);
    let update = pb::UpdateProductRequest {
        product_id: id.clone(),
        product: Some(pan()),
        update_mask: None,
    };
    let update = world.edge().update_product(world.signed("customer", update)).await.map(drop);
    let delete = pb::DeleteProductRequest { product_id: id };
    let delete = world.edge().delete_product(world.signed("customer", delete)).await.map(drop);
    for refused in [create, update, delete] {
        let refused = refused.unwrap_err();
        let told = (refused.code(), reason(&refused));
        assert_eq!(told, (Code::PermissionDenied, "PERMISSION_DENIED".to_owned()));
    }
    assert_eq!(world.get(&product.product_id).await.unwrap(), product);
}

#[tokio::test]
async fn nobody_may_change_it_without_a_token() {
    let world = World::start().await;
    let request = Request::new(pb::CreateProductRequest { product: Some(pan()) });
    let refused = world.edge().create_product(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn batches_are_for_cart_and_orders_only() {
    let world = World::start().await;
    for (workload, allowed) in
        [("cart", true), ("orders", true), ("edge", false), ("payments", false), ("tools", false)]
    {
        let request = pb::BatchGetProductsRequest { product_ids: vec![] };
        let answer = world.from(workload).batch_get_products(request).await;
        match answer {
            Ok(_) => assert!(allowed, "{workload}"),
            Err(refused) => {
                assert!(!allowed, "{workload}: {refused}");
                assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_uuid_is_refused_before_anything_else() {
    let world = World::start().await;
    let refused = world.get("1").await.unwrap_err();
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::InvalidArgument, "VALIDATION_FAILED".to_owned()));
}

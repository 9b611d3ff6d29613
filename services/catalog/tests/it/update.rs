//! Changing products with field masks (AIP-134).

use proto::catalog::v1 as pb;
use testkit::{fields, reason};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, eur, pan};

/// What the fields of a body are when nobody sets them.
fn empty() -> pb::Product {
    pb::Product::default()
}

#[tokio::test]
async fn without_a_mask_the_fields_that_are_set_change() {
    let world = World::start().await;
    let old = world.create(pan()).await;
    for mask in [None, Some(&[][..])] {
        let body = pb::Product { name: "Wok".to_owned(), price: eur(4_500), ..empty() };
        let new = world.try_update(&old.product_id, body, mask).await.unwrap();
        let expected = pb::Product {
            name: "Wok".to_owned(),
            price: eur(4_500),
            update_time: new.update_time,
            ..old.clone()
        };
        assert_eq!(new, expected);
        assert_eq!(world.get(&old.product_id).await.unwrap(), new);
    }
}

#[tokio::test]
async fn a_mask_names_what_changes_and_the_rest_of_the_body_is_ignored() {
    let world = World::start().await;
    let old = world.create(pan()).await;
    let body = pb::Product { name: "Wok".to_owned(), price: eur(1), ..empty() };
    let new = world.try_update(&old.product_id, body, Some(&["price"])).await.unwrap();
    assert_eq!((new.name.as_str(), new.price), ("Frying pan", eur(1)));
    assert_eq!(new.create_time, old.create_time);
    let time = |t: Option<prost_types::Timestamp>| t.map(|t| (t.seconds, t.nanos));
    assert!(time(new.update_time) > time(old.update_time));
}

#[tokio::test]
async fn a_mask_clears_what_may_be_empty() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    let mask = Some(&["description", "image_url"][..]);
    let new = world.try_update(&id, empty(), mask).await.unwrap();
    assert_eq!((new.description.as_str(), new.image_url.as_str()), ("", ""));
    assert_eq!(new.name, "Frying pan");
}

#[tokio::test]
async fn a_mask_cannot_clear_what_is_required() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    for path in ["sku", "name", "category", "price"] {
        let refused = world.try_update(&id, empty(), Some(&[path])).await.unwrap_err();
        assert_eq!(reason(&refused), "VALIDATION_FAILED");
        assert_eq!(fields(&refused), [format!("product.{path}")]);
    }
}

#[tokio::test]
async fn a_star_replaces_the_whole_product() {
    let world = World::start().await;
    let old = world.create(pan()).await;
    let body = pb::Product { description: String::new(), image_url: String::new(), ..pan() };
    let new = world.try_update(&old.product_id, body, Some(&["*"])).await.unwrap();
    assert_eq!((new.description.as_str(), new.image_url.as_str()), ("", ""));
    let lacking = pb::Product { price: None, ..pan() };
    let refused = world.try_update(&old.product_id, lacking, Some(&["*"])).await.unwrap_err();
    assert_eq!(fields(&refused), ["product.price"]);
}

#[tokio::test]
async fn a_mask_with_an_unknown_field_is_refused() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    for path in ["colour", "price.units", "", "Name", "deleted_at"] {
        let refused = world.try_update(&id, pan(), Some(&["name", path])).await.unwrap_err();
        let told = (refused.code(), reason(&refused));
        assert_eq!(told, (Code::InvalidArgument, "FIELD_MASK_INVALID".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_mask_with_what_only_the_server_sets_changes_nothing() {
    let world = World::start().await;
    let old = world.create(pan()).await;
    let body = pb::Product { product_id: Uuid::now_v7().to_string(), ..empty() };
    let mask = Some(&["product_id", "create_time", "update_time"][..]);
    assert_eq!(world.try_update(&old.product_id, body, mask).await.unwrap(), old);
}

#[tokio::test]
async fn a_change_keeps_to_the_rules_of_a_new_product() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    world.create(pb::Product { sku: "TAKEN".to_owned(), ..pan() }).await;
    let sku = pb::Product { sku: "TAKEN".to_owned(), ..empty() };
    let category = pb::Product { category: "cars".to_owned(), ..empty() };
    let price = pb::Product { price: eur(0), ..empty() };
    let expected =
        [(sku, "SKU_TAKEN"), (category, "CATEGORY_UNKNOWN"), (price, "VALIDATION_FAILED")];
    for (body, why) in expected {
        assert_eq!(reason(&world.try_update(&id, body, None).await.unwrap_err()), why);
    }
    let unknown = Uuid::now_v7().to_string();
    let refused = world.try_update(&unknown, pan(), None).await.unwrap_err();
    assert_eq!(reason(&refused), "PRODUCT_NOT_FOUND");
}

#[tokio::test]
async fn changes_of_different_fields_at_once_are_all_kept() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    let bodies = [
        pb::Product { sku: "NEW".to_owned(), ..empty() },
        pb::Product { name: "Wok".to_owned(), ..empty() },
        pb::Product { description: "Steel".to_owned(), ..empty() },
        pb::Product { category: "outdoor".to_owned(), ..empty() },
        pb::Product { price: eur(1), ..empty() },
        pb::Product { image_url: "/wok.jpg".to_owned(), ..empty() },
    ];
    let changes = bodies.into_iter().map(|body| world.try_update(&id, body, None));
    for changed in futures::future::join_all(changes).await {
        changed.unwrap();
    }
    let new = world.get(&id).await.unwrap();
    let texts = [new.sku, new.name, new.description, new.category, new.image_url];
    assert_eq!(texts, ["NEW", "Wok", "Steel", "outdoor", "/wok.jpg"]);
    assert_eq!(new.price, eur(1));
}

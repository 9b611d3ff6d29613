//! Adding, reading and removing products.

use proto::catalog::v1 as pb;
use proto::google::r#type::Money;
use testkit::{fields, reason};
use tonic::Code;
use uuid::Uuid;

use crate::world::{World, eur, pan};

#[tokio::test]
async fn a_product_is_read_as_it_was_created() {
    let world = World::start().await;
    let created = world.create(pan()).await;
    let expected = pb::Product {
        product_id: created.product_id.clone(),
        create_time: created.create_time,
        update_time: created.create_time,
        ..pan()
    };
    assert_eq!(created, expected);
    assert_eq!(Uuid::parse_str(&created.product_id).unwrap().get_version_num(), 7);
    assert_eq!(world.get(&created.product_id).await.unwrap(), created);
}

#[tokio::test]
async fn what_only_the_server_sets_is_ignored() {
    let world = World::start().await;
    let id = Uuid::now_v7().to_string();
    let time = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let made_up =
        pb::Product { product_id: id.clone(), create_time: time, update_time: time, ..pan() };
    let created = world.create(made_up).await;
    assert_ne!(created.product_id, id);
    assert_ne!(created.create_time, time);
}

#[tokio::test]
async fn everything_that_a_product_lacks_is_named_at_once() {
    let world = World::start().await;
    let refused = world.try_create(pb::Product::default()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), INVALID);
    let lacking = ["product.sku", "product.name", "product.category", "product.price"];
    assert_eq!(fields(&refused), lacking);
    let request = world.managed(pb::CreateProductRequest { product: None });
    let refused = world.edge().create_product(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

const INVALID: (Code, &str) = (Code::InvalidArgument, "VALIDATION_FAILED");

#[tokio::test]
async fn a_price_that_nobody_can_pay_is_refused() {
    let world = World::start().await;
    let money = |code: &str, units, nanos| Money { currency_code: code.to_owned(), units, nanos };
    let bad = [
        (money("EUR", 0, 0), "product.price"),
        (money("EUR", -1, 0), "product.price"),
        (money("EUR", 0, 5_000_000), "product.price"),
        (money("EUR", 1, -10_000_000), "product.price"),
        (money("EUR", 0, i32::MIN), "product.price"),
        (money("EUR", 1_000_000, 10_000_000), "product.price"),
        (money("EUR", i64::MAX, 990_000_000), "product.price"),
        (money("USD", 10, 0), "product.price.currency_code"),
        (money("XYZ", 10, 0), "product.price.currency_code"),
        (money("eur", 10, 0), "product.price.currency_code"),
        (money("", 10, 0), "product.price.currency_code"),
    ];
    for (price, field) in bad {
        let product = pb::Product { price: Some(price.clone()), ..pan() };
        let refused = world.try_create(product).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), INVALID, "{price:?}");
        assert_eq!(fields(&refused), [field], "{price:?}");
    }
    for (sku, minor) in [("LOWEST", 1), ("HIGHEST", 100_000_000)] {
        let product = pb::Product { sku: sku.to_owned(), price: eur(minor), ..pan() };
        assert_eq!(world.create(product).await.price, eur(minor));
    }
}

#[tokio::test]
async fn text_that_no_database_holds_is_refused_and_any_other_is_kept() {
    let world = World::start().await;
    let refused = world.try_create(pb::Product { name: "a\0b".to_owned(), ..pan() }).await;
    assert_eq!(fields(&refused.unwrap_err()), ["product.name"]);
    let refused = world.try_create(pb::Product { description: "\0".to_owned(), ..pan() }).await;
    assert_eq!(fields(&refused.unwrap_err()), ["product.description"]);

    let odd = pb::Product {
        sku: "'; drop table products; --".to_owned(),
        name: "Pfanne \"große\" 🍳 \\ %_".to_owned(),
        description: "line\nline\ttab ".to_owned() + &"x".repeat(3_900),
        ..pan()
    };
    let created = world.create(odd.clone()).await;
    assert_eq!((created.sku, created.name), (odd.sku, odd.name));
    assert_eq!(created.description, odd.description);
}

#[tokio::test]
async fn a_sku_is_taken_once_until_its_product_is_removed() {
    let world = World::start().await;
    let first = world.create(pan()).await;
    let refused = world.try_create(pan()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::AlreadyExists, "SKU_TAKEN"));
    world.delete(&first.product_id).await.unwrap();
    world.create(pan()).await;
}

#[tokio::test]
async fn of_many_who_take_a_sku_at_once_one_gets_it() {
    let world = World::start().await;
    let all = (0..8).map(|_| world.try_create(pan()));
    let mut taken = 0;
    for attempt in futures::future::join_all(all).await {
        match attempt {
            Ok(_) => taken += 1,
            Err(refused) => assert_eq!(reason(&refused), "SKU_TAKEN"),
        }
    }
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_category_must_exist() {
    let world = World::start().await;
    let stray = pb::Product { category: "cars".to_owned(), ..pan() };
    let refused = world.try_create(stray).await.unwrap_err();
    let told = (refused.code(), reason(&refused));
    assert_eq!(told, (Code::InvalidArgument, "CATEGORY_UNKNOWN".to_owned()));
    assert_eq!(fields(&refused), ["product.category"]);
}

#[tokio::test]
async fn a_removed_product_is_gone() {
    let world = World::start().await;
    let id = world.create(pan()).await.product_id;
    world.delete(&id).await.unwrap();
    let not_found = (Code::NotFound, "PRODUCT_NOT_FOUND".to_owned());
    let update = world.try_update(&id, pan(), None).await.map(drop);
    for refused in [world.get(&id).await.map(drop), world.delete(&id).await, update] {
        let refused = refused.unwrap_err();
        assert_eq!((refused.code(), reason(&refused)), not_found);
    }
    assert_eq!(world.list(pb::ListProductsRequest::default()).await.unwrap().products, []);
}

#[tokio::test]
async fn a_batch_brings_what_exists_and_leaves_out_the_rest() {
    let world = World::start().await;
    let kept = world.create(pan()).await;
    let other = pb::Product { sku: "KIT-0043".to_owned(), ..pan() };
    let removed = world.create(other).await.product_id;
    world.delete(&removed).await.unwrap();
    let id = kept.product_id.clone();
    let product_ids = vec![id.clone(), removed, Uuid::now_v7().to_string(), id];
    let request = pb::BatchGetProductsRequest { product_ids };
    let answer = world.from("orders").batch_get_products(request).await.unwrap().into_inner();
    assert_eq!(answer.products, [kept]);
    let none = pb::BatchGetProductsRequest { product_ids: vec![] };
    let answer = world.from("cart").batch_get_products(none).await.unwrap().into_inner();
    assert_eq!(answer.products, []);
}

#[tokio::test]
async fn categories_come_by_name_with_what_is_on_sale_in_them() {
    let world = World::start().await;
    world.create(pan()).await;
    let removed = world.create(pb::Product { sku: "X".to_owned(), ..pan() }).await.product_id;
    world.delete(&removed).await.unwrap();
    let answer = world.edge().list_categories(pb::ListCategoriesRequest {}).await.unwrap();
    let categories = answer.into_inner().categories;
    let names: Vec<_> = categories.iter().map(|c| c.name.as_str()).collect();
    let expected = [
        "Beauty & Care",
        "Books",
        "Electronics",
        "Garden",
        "Home & Living",
        "Kitchen",
        "Outdoor & Camping",
        "Toys & Games",
    ];
    assert_eq!(names, expected);
    let filled: Vec<_> = categories.iter().filter(|c| c.product_count > 0).collect();
    assert_eq!(filled.len(), 1);
    assert_eq!((filled[0].slug.as_str(), filled[0].product_count), ("kitchen", 1));
}

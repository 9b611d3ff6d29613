//! What a customer does with the cart.

use std::time::Duration;

use proto::cart::v1::{
    AddItemRequest, ClearCartRequest, GetCartRequest, RemoveItemRequest, UpdateItemRequest,
};
use proto::google::r#type::Money;
use proto::policy;
use testkit::{bearer, fields, reason};
use tonic::Code;
use uuid::Uuid;

use crate::shop::Shop;

fn eur(cents: i64) -> Option<Money> {
    let nanos = (cents % 100) as i32 * 10_000_000;
    Some(Money { currency_code: "EUR".to_owned(), units: cents / 100, nanos })
}

#[tokio::test]
async fn a_cart_shows_names_current_prices_and_totals_in_the_order_of_adding() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    let (pan, cup) = (shop.shelf.put("Pan", 4_999), shop.shelf.put("Cup", 350));
    shop.add(&token, pan, 1).await.unwrap();
    shop.add(&token, cup, 2).await.unwrap();
    let cart = shop.add(&token, cup, 1).await.unwrap();
    let names: Vec<_> = cart.items.iter().map(|i| (i.name.as_str(), i.quantity)).collect();
    assert_eq!(names, [("Pan", 1), ("Cup", 3)]);
    assert_eq!(cart.items[1].line_total, eur(1_050));
    assert_eq!((cart.total, cart.item_count), (eur(6_049), 4));
    shop.shelf.reprice(pan, "Pan", 3_999);
    assert_eq!(shop.cart(&token).await.total, eur(5_049));
}

#[tokio::test]
async fn a_product_that_leaves_the_catalogue_stays_visible_but_costs_nothing() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    let (pan, cup) = (shop.shelf.put("Pan", 4_999), shop.shelf.put("Cup", 350));
    shop.add(&token, pan, 1).await.unwrap();
    shop.add(&token, cup, 1).await.unwrap();
    shop.shelf.remove(pan);
    let cart = shop.cart(&token).await;
    assert!(!cart.items[0].available && cart.items[1].available);
    assert_eq!(cart.total, eur(350));
}

#[tokio::test]
async fn a_product_that_is_not_on_sale_cannot_be_added() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    let refused = shop.add(&token, Uuid::now_v7(), 1).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "PRODUCT_NOT_FOUND"));
    assert!(shop.cart(&token).await.items.is_empty());
}

#[tokio::test]
async fn quantities_are_set_and_items_are_removed() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    let pan = shop.shelf.put("Pan", 100);
    shop.add(&token, pan, 1).await.unwrap();
    let product_id = pan.to_string();
    let message = UpdateItemRequest { product_id: product_id.clone(), quantity: 7 };
    let cart = shop.carts.clone().update_item(bearer(message, &token)).await.unwrap().into_inner();
    assert_eq!(cart.total, eur(700));
    for _ in 0..2 {
        let message = RemoveItemRequest { product_id: product_id.clone() };
        let cart = shop.carts.clone().remove_item(bearer(message, &token)).await.unwrap();
        assert!(cart.into_inner().items.is_empty());
    }
    let message = UpdateItemRequest { product_id, quantity: 1 };
    let refused = shop.carts.clone().update_item(bearer(message, &token)).await.unwrap_err();
    assert_eq!(reason(&refused), "ITEM_NOT_FOUND");
}

#[tokio::test]
async fn clearing_empties_the_cart() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    let pan = shop.shelf.put("Pan", 100);
    shop.add(&token, pan, 1).await.unwrap();
    shop.carts.clone().clear_cart(bearer(ClearCartRequest {}, &token)).await.unwrap();
    assert_eq!(shop.cart(&token).await.item_count, 0);
}

#[tokio::test]
async fn many_additions_at_once_are_all_counted_and_stop_at_the_limit() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    let pan = shop.shelf.put("Pan", 100);
    let additions = (0..30).map(|_| shop.add(&token, pan, 4));
    let answers = futures::future::join_all(additions).await;
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(refused.iter().all(|r| reason(r) == "QUANTITY_TOO_LARGE"), "{refused:?}");
    assert_eq!((refused.len(), shop.cart(&token).await.item_count), (6, 96));
}

#[tokio::test]
async fn a_cart_holds_a_hundred_products_and_not_one_more() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    for n in 0..100 {
        let product = shop.shelf.put(&format!("Product {n}"), 100);
        shop.add(&token, product, 1).await.unwrap();
    }
    let one_more = shop.shelf.put("One more", 100);
    let refused = shop.add(&token, one_more, 1).await.unwrap_err();
    assert_eq!(reason(&refused), "CART_FULL");
}

#[tokio::test]
async fn bad_quantities_and_ids_are_refused_with_the_fields_named() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    let message = AddItemRequest { product_id: "pan".to_owned(), quantity: 0 };
    let refused = shop.carts.clone().add_item(bearer(message, &token)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(fields(&refused), ["product_id", "quantity"]);
}

#[tokio::test]
async fn a_cart_needs_a_valid_token_and_belongs_to_its_user() {
    let shop = Shop::open().await;
    let (user, token) = shop.customer();
    let (_, other) = shop.customer();
    let pan = shop.shelf.put("Pan", 100);
    shop.add(&token, pan, 1).await.unwrap();
    assert!(shop.cart(&other).await.items.is_empty());
    let anonymous = shop.carts.clone().get_cart(GetCartRequest {}).await.unwrap_err();
    assert_eq!(anonymous.code(), Code::Unauthenticated);
    let expired = shop.platform.expired_token(user, &["customer"]);
    let refused = shop.carts.clone().get_cart(bearer(GetCartRequest {}, &expired)).await;
    assert_eq!(reason(&refused.unwrap_err()), "TOKEN_INVALID");
}

#[tokio::test]
async fn the_catalogue_is_not_asked_for_longer_than_the_customer_waits() {
    let shop = Shop::open().await;
    let (_, token) = shop.customer();
    shop.add(&token, shop.shelf.put("Kettle", 4_950), 1).await.unwrap();
    shop.cart(&token).await;
    let tries = policy::of("/stoa.catalog.v1.CatalogService/BatchGetProducts").unwrap().retry;
    let per_try = tries.unwrap().per_try.as_millis() as u64;
    assert_eq!(shop.shelf.patience(), per_try, "the contract's limit of a try");
    let mut request = bearer(GetCartRequest {}, &token);
    request.set_timeout(Duration::from_millis(200));
    shop.carts.clone().get_cart(request).await.unwrap();
    let left = shop.shelf.patience();
    assert!(left > 0 && left < 200, "{left} ms are left of 200");
}

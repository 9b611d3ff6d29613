//! Reading orders: one's own, page by page.

use proto::orders::v1::{ListOrdersRequest, WatchOrderRequest};
use testkit::{bearer, fields, reason};
use tonic::Code;

use crate::stage::Stage;

#[tokio::test]
async fn another_users_order_is_not_found() {
    let (stage, shop) = Stage::with_instance().await;
    let (ada, eve) = (stage.customer(), stage.customer());
    let order = ada.place(&shop.client, "k").await.unwrap();
    let watch = WatchOrderRequest { order_id: order.order_id.clone() };
    let watched = shop.client.clone().watch_order(bearer(watch, &eve.token)).await;
    let refusals = [
        eve.get(&shop.client, &order.order_id).await.unwrap_err(),
        eve.cancel(&shop.client, &order.order_id).await.unwrap_err(),
        watched.expect_err("not hers"),
    ];
    for refusal in refusals {
        assert_eq!(refusal.code(), Code::NotFound);
        assert_eq!(reason(&refusal), "ORDER_NOT_FOUND");
    }
    assert!(eve.orders(&shop.client).await.is_empty());
    assert_eq!(ada.get(&shop.client, &order.order_id).await.unwrap(), order);
}

#[tokio::test]
async fn orders_come_newest_first_page_by_page() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let mut placed = Vec::new();
    for n in 0..5 {
        stage.world.fill_cart(ada.id, &[(ada.kettle, 1)]);
        placed.insert(0, ada.place(&shop.client, &format!("k{n}")).await.unwrap());
    }
    let (mut pages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = bearer(ListOrdersRequest { page_size: 2, page_token }, &ada.token);
        let page = shop.client.clone().list_orders(request).await.unwrap().into_inner();
        pages.push(page.orders);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(pages.concat(), placed);
}

#[tokio::test]
async fn a_made_up_page_token_is_refused() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let request = ListOrdersRequest { page_size: 2, page_token: "!".to_owned() };
    let refusal = shop.client.clone().list_orders(bearer(request, &ada.token)).await.unwrap_err();
    assert_eq!(refusal.code(), Code::InvalidArgument);
    assert_eq!(fields(&refusal), ["page_token"]);
}

#[tokio::test]
async fn nobody_reads_orders_without_signing_in() {
    let (_stage, shop) = Stage::with_instance().await;
    let refusal = shop.client.clone().list_orders(ListOrdersRequest::default()).await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unauthenticated);
}

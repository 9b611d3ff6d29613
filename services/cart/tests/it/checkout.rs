//! What the checkout saga does with carts.

use proto::cart::v1::cart_checkout_service_client::CartCheckoutServiceClient;
use proto::cart::v1::{CartLine, ReadCartRequest, SettleCartRequest};
use testkit::reason;
use uuid::Uuid;

use crate::shop::Shop;

fn settle(user: Uuid, order: Uuid, lines: &[(Uuid, i32)]) -> SettleCartRequest {
    let lines = lines.iter().map(|(product, quantity)| CartLine {
        product_id: product.to_string(),
        quantity: *quantity,
    });
    SettleCartRequest {
        user_id: user.to_string(),
        order_id: order.to_string(),
        lines: lines.collect(),
    }
}

#[tokio::test]
async fn settling_takes_out_what_was_ordered_once_and_leaves_what_was_added_since() {
    let shop = Shop::open().await;
    let (user, token) = shop.customer();
    let (pan, cup) = (shop.shelf.put("Pan", 100), shop.shelf.put("Cup", 100));
    shop.add(&token, pan, 2).await.unwrap();
    shop.add(&token, cup, 5).await.unwrap();
    let order = Uuid::now_v7();
    let message = settle(user, order, &[(pan, 2), (cup, 3)]);
    for _ in 0..2 {
        shop.checkout.clone().settle_cart(message.clone()).await.unwrap();
    }
    let request = ReadCartRequest { user_id: user.to_string() };
    let left = shop.checkout.clone().read_cart(request).await.unwrap().into_inner().lines;
    assert_eq!(left, [CartLine { product_id: cup.to_string(), quantity: 2 }]);
}

#[tokio::test]
async fn only_the_orders_service_may_read_anybodys_cart() {
    let shop = Shop::open().await;
    let addr = shop.carts_addr();
    for workload in ["edge", "tools", "payments"] {
        let channel = shop.platform.channel(workload, addr, "cart");
        let request = ReadCartRequest { user_id: Uuid::now_v7().to_string() };
        let refused = CartCheckoutServiceClient::new(channel).read_cart(request).await;
        assert_eq!(reason(&refused.unwrap_err()), "CALLER_NOT_ALLOWED", "{workload}");
    }
}

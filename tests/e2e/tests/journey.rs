//! The main job: a customer registers, fills a cart, pays and is notified.

use crate::client::cents;
use crate::platform::{eventually, with_platform};

#[test]
fn a_customer_registers_fills_a_cart_pays_and_is_notified() {
    with_platform(async |platform| {
        let product = platform.admin.product(1_299, 10).await;
        let customer = platform.anonymous().register().await;

        let cart = customer.put_in_cart(&product, 2).await;
        assert_eq!(cents(&cart["total"]), 2_598);

        let order = customer.order("tok_visa").await.ok();
        let id = order["order_id"].as_str().unwrap();
        assert_eq!(order["state"], "ORDER_STATE_CONFIRMED", "{order}");
        assert_eq!(cents(&order["total"]), 2_598);

        let stock = customer.client.get(&format!("/v1/products/{product}/stock")).await.ok();
        assert_eq!(
            (stock["available"].as_str(), stock["reserved"].as_str()),
            (Some("8"), Some("0"))
        );
        let cart = customer.client.get("/v1/cart").await.ok();
        assert_eq!(cart["item_count"], 0, "the cart is empty");
        let payment = order["payment_id"].as_str().unwrap();
        let payment = customer.client.get(&format!("/v1/payments/{payment}")).await.ok();
        assert_eq!(payment["state"], "PAYMENT_STATE_CAPTURED");
        assert_eq!(cents(&payment["amount"]), 2_598);

        let listed = customer.client.get("/v1/orders").await.ok();
        assert_eq!(listed["orders"][0]["order_id"], id);
        eventually("the confirmation is in the inbox and its mail was handed over", async || {
            let inbox = customer.client.get("/v1/notifications").await.ok();
            let all = inbox["notifications"].as_array()?.clone();
            all.into_iter().find(|n| {
                n["order_id"] == id
                    && n["kind"] == "NOTIFICATION_KIND_ORDER_CONFIRMED"
                    && n["email_state"] == "DELIVERY_STATE_SENT"
            })
        })
        .await;
        let mail = platform.mail_to(&customer.email);
        let confirmations = mail.iter().filter(|m| m.contains("Subject: Your order")).count();
        assert_eq!(confirmations, 1, "one confirmation by mail: {mail:?}");
    });
}

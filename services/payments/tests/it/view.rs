//! Who sees a payment.

use proto::payments::v1::GetPaymentRequest;
use testkit::{bearer, reason};
use tonic::Code;
use uuid::Uuid;

use crate::world::{Order, World, eur};

#[tokio::test]
async fn a_payment_is_seen_by_its_owner_and_by_those_who_refund() {
    let world = World::start().await;
    let order = Order::by("tok_visa");
    let payment_id = world.authorize(&order).await.unwrap().payment_id;
    let get = async |user: Uuid, role: &str, payment_id: &str| {
        let message = GetPaymentRequest { payment_id: payment_id.to_owned() };
        let token = world.platform.token(user, &[role]);
        world.people.clone().get_payment(bearer(message, &token)).await
    };
    let own = get(order.user_id, "customer", &payment_id).await.unwrap().into_inner();
    assert_eq!(own.order_id, order.order_id.to_string());
    assert_eq!(own.refunded, Some(eur(0)));
    get(Uuid::now_v7(), "manager", &payment_id).await.expect("managers see all");

    let nobodys = Uuid::now_v7().to_string();
    let refusals = [
        get(Uuid::now_v7(), "customer", &payment_id).await,
        get(order.user_id, "customer", &nobodys).await,
    ];
    for refused in refusals.map(|r| r.expect_err("not theirs")) {
        assert_eq!(refused.code(), Code::NotFound);
        assert_eq!(reason(&refused), "PAYMENT_NOT_FOUND");
    }
}

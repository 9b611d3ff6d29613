//! What becomes of facts.

use proto::notifications::v1::{DeliveryState, NotificationKind};
use proto::orders::v1::OrderCancelled;
use proto::payments::v1::PaymentRefunded;
use uuid::Uuid;

use crate::world::{FAILED, WELCOME, World, confirmed, euros, failed, registered};

const CONFIRMED: &str = "Your order over EUR 12.99 is confirmed";

#[tokio::test]
async fn a_confirmed_order_is_told_with_its_lines_and_total_and_mailed_by_name() {
    let (world, user, order) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    world.publish(&registered(user, "Ada Lovelace")).await;
    world.publish(&confirmed(user, order)).await;
    let told = world.told_as(user, NotificationKind::OrderConfirmed, DeliveryState::Sent).await;
    assert_eq!((told.subject.as_str(), told.order_id), (CONFIRMED, order.to_string()));
    assert!(told.create_time.is_some());

    let mails = world.smtp.with_subject(CONFIRMED);
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.to, [format!("{}@example.com", user.simple())]);
    assert_eq!(mail.header("From"), "Stoa <shop@stoa.local>");
    assert!(mail.header("To").contains("Ada Lovelace"));
    assert_eq!(mail.header("Message-ID"), format!("<{}@stoa.local>", told.notification_id));
    let body = mail.body();
    assert!(body.starts_with("Hello Ada Lovelace,\n\n"), "{body}");
    for text in [told.body.as_str(), &body] {
        for part in ["2 x Green tea: EUR 10.00", "1 x Tom & Jerry's mug: EUR 2.99", "EUR 12.99"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.contains(&order.to_string()));
    }
}

#[tokio::test]
async fn whoever_registers_is_welcomed() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    world.publish(&registered(user, "Ada")).await;
    let told = world.told_as(user, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert_eq!((told.subject.as_str(), told.order_id.as_str()), (WELCOME, ""));
    assert_eq!(world.smtp.received().len(), 1);
}

#[tokio::test]
async fn failed_cancelled_and_refunded_orders_are_told_each_in_its_words() {
    let (world, user, order) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    world.publish(&registered(user, "Ada")).await;
    world.publish(&failed(user, Uuid::now_v7())).await;
    let (order_id, user_id) = (order.to_string(), user.to_string());
    let cancelled = OrderCancelled { order_id, user_id, total: Some(euros(12, 99)) };
    world.publish(&cancelled).await;
    world.publish(&refund(user, order, Uuid::now_v7(), euros(12, 99))).await;
    let sent = async |kind| world.told_as(user, kind, DeliveryState::Sent).await;

    let told = sent(NotificationKind::OrderFailed).await;
    assert!(told.body.contains("your payment was declined"), "{}", told.body);
    let told = sent(NotificationKind::OrderCancelled).await;
    assert!(told.body.contains("EUR 12.99") && told.order_id == order.to_string());
    let told = sent(NotificationKind::PaymentRefunded).await;
    assert!(told.subject.contains("EUR 12.99") && told.order_id == order.to_string());
    sent(NotificationKind::Welcome).await;
    assert_eq!(world.smtp.received().len(), 4);
}

#[tokio::test]
async fn every_part_of_a_refund_is_told() {
    let (world, user, order) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    let payment = Uuid::now_v7();
    for euro in [3, 5] {
        world.publish(&refund(user, order, payment, euros(euro, 0))).await;
    }
    world.consumed(2).await;
    let subjects: Vec<_> = world.told(user).await.into_iter().map(|told| told.subject).collect();
    assert_eq!(subjects, ["You get EUR 5.00 back", "You get EUR 3.00 back"]);
}

#[tokio::test]
async fn the_same_thing_is_told_and_mailed_once_however_often_it_comes() {
    let (world, user, order) = (World::start().await, Uuid::now_v7(), Uuid::now_v7());
    world.publish(&registered(user, "Ada")).await;
    world.publish(&confirmed(user, order)).await;
    world.told_as(user, NotificationKind::OrderConfirmed, DeliveryState::Sent).await;
    // The same events once more, and behind them the same thing as another event.
    world.publish_again().await;
    world.publish(&confirmed(user, order)).await;
    world.consumed(3).await;
    let told = world.told(user).await;
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|n| n.email_state() == DeliveryState::Sent));
    assert_eq!(world.smtp.with_subject(CONFIRMED).len(), 1);
    assert_eq!(world.smtp.received().len(), 2);
}

#[tokio::test]
async fn a_fact_before_its_users_registration_is_told_at_once_and_mailed_when_the_contact_is_known()
{
    let (world, user) = (World::start().await, Uuid::now_v7());
    world.publish(&failed(user, Uuid::now_v7())).await;
    world.told_as(user, NotificationKind::OrderFailed, DeliveryState::Pending).await;
    // Somebody else's e-mail does not wait behind it.
    let other = Uuid::now_v7();
    world.publish(&registered(other, "Grace")).await;
    world.told_as(other, NotificationKind::Welcome, DeliveryState::Sent).await;
    assert!(world.smtp.with_subject(FAILED).is_empty());

    world.publish(&registered(user, "Ada")).await;
    world.told_as(user, NotificationKind::OrderFailed, DeliveryState::Sent).await;
    assert!(world.smtp.with_subject(FAILED)[0].body().starts_with("Hello Ada,"));
}

#[tokio::test]
async fn a_name_with_line_breaks_adds_neither_headers_nor_recipients() {
    let (world, user) = (World::start().await, Uuid::now_v7());
    let name = "Ada\r\nBcc: spy@example.com\r\n\r\nBuy now\0";
    world.publish(&registered(user, name)).await;
    world.told_as(user, NotificationKind::Welcome, DeliveryState::Sent).await;
    let mail = &world.smtp.received()[0];
    assert_eq!(mail.to, [format!("{}@example.com", user.simple())]);
    assert!(mail.headers("Bcc").is_empty());
    assert_eq!(mail.headers("To").len(), 1);
    assert!(mail.body().starts_with("Hello Ada Bcc: spy@example.com Buy now,\n"), "{mail:?}");
}

fn refund(
    user: Uuid,
    order: Uuid,
    payment: Uuid,
    amount: proto::google::r#type::Money,
) -> PaymentRefunded {
    PaymentRefunded {
        payment_id: payment.to_string(),
        order_id: order.to_string(),
        user_id: user.to_string(),
        amount: Some(amount),
    }
}

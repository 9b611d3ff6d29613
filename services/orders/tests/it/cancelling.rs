//! Cancelling orders.

use futures::future::join_all;
use proto::orders::v1::OrderState;
use testkit::reason;
use tonic::Code;
use uuid::Uuid;

use crate::stage::{Stage, id_of, settled};
use crate::world::{Call, Fault, Payment};

#[tokio::test]
async fn a_cancelled_order_gives_everything_back() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let placed = ada.place(&shop.client, "k").await.unwrap();
    let order = ada.cancel(&shop.client, &placed.order_id).await.unwrap();
    assert_eq!(order.state(), OrderState::Cancelled);
    assert_eq!(order.failure_reason, "CANCELLED_BY_CUSTOMER");
    assert_eq!(order.payment_id, placed.payment_id);
    stage.assert_given_back(&ada, &order);
    assert_eq!(stage.world.payment_of(id_of(&order)), Some(Payment::Reversed));
    let topics = ["order_placed", "order_confirmed", "order_cancelled"];
    assert_eq!(stage.facts_of(&order).await, topics.map(|t| format!("orders.v1.{t}")));
}

#[tokio::test]
async fn cancelling_again_answers_the_order_as_it_is() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let placed = ada.place(&shop.client, "k").await.unwrap();
    let cancelling = (0..4).map(|_| ada.cancel(&shop.client, &placed.order_id));
    for order in join_all(cancelling).await {
        assert_eq!(order.unwrap().state(), OrderState::Cancelled);
    }
    let again = ada.cancel(&shop.client, &placed.order_id).await.unwrap();
    stage.assert_given_back(&ada, &again);
    let calls = stage.world.calls_of(id_of(&again));
    assert_eq!(calls[5..], [Call::Reverse, Call::Release]);
    assert_eq!(ada.place(&shop.client, "k").await.unwrap(), again, "the key still names it");
}

#[tokio::test]
async fn a_failed_order_cannot_be_cancelled() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.decline(ada.id, "PAYMENT_DECLINED");
    let order = ada.place(&shop.client, "k").await.unwrap();
    let refusal = ada.cancel(&shop.client, &order.order_id).await.unwrap_err();
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refusal), "ORDER_NOT_CANCELLABLE");
}

#[tokio::test]
async fn an_order_on_its_way_cannot_be_cancelled() {
    let (stage, shop) = Stage::with_instance().await;
    for state in ["shipped", "delivered"] {
        let ada = stage.customer();
        let order = ada.place(&shop.client, "k").await.unwrap();
        sqlx::query("update orders set state = $2, version = version + 1 where id = $1")
            .bind(id_of(&order))
            .bind(state)
            .execute(&stage.database.pool)
            .await
            .unwrap();
        let refusal = ada.cancel(&shop.client, &order.order_id).await.unwrap_err();
        assert_eq!(reason(&refusal), "ORDER_NOT_CANCELLABLE");
    }
}

#[tokio::test]
async fn a_cancellation_waits_for_the_step_that_is_going_on() {
    let (stage, shop) = Stage::with_instance().await;
    for call in [Call::Reserve, Call::Authorize, Call::Commit, Call::Capture, Call::SettleCart] {
        let ada = stage.customer();
        let gate = stage.world.hold(call, ada.id);
        let placing = ada.place(&shop.client, "k");
        let cancelling = async {
            gate.reached().await;
            let id = ada.orders(&shop.client).await[0].order_id.clone();
            let cancelling = ada.cancel(&shop.client, &id);
            let opening = async {
                // Long enough for the cancellation to find the order taken.
                ada.get(&shop.client, &id).await.unwrap();
                gate.open();
            };
            tokio::join!(cancelling, opening).0
        };
        let (placed, cancelled) = tokio::join!(placing, cancelling);
        placed.unwrap();
        let order = cancelled.unwrap();
        assert_eq!(order.state(), OrderState::Cancelled, "{call:?}");
        stage.assert_given_back(&ada, &order);
    }
    assert_eq!(stage.world.overlaps(), 0);
}

#[tokio::test]
async fn an_order_whose_payment_cannot_be_taken_yet_can_be_cancelled() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.fail(Call::Capture, ada.id, vec![Fault::ErrorBefore; 100]);
    let placing = ada.place(&shop.client, "k");
    let cancelling = async {
        let confirmed = ada.order_in(&shop.client, OrderState::Confirmed).await;
        ada.cancel(&shop.client, &confirmed.order_id).await
    };
    let (placed, cancelled) = tokio::join!(placing, cancelling);
    placed.unwrap();
    let order = cancelled.unwrap();
    assert_eq!(order.state(), OrderState::Cancelled);
    stage.assert_given_back(&ada, &order);
}

#[tokio::test]
async fn a_confirmed_order_is_answered_while_it_cannot_be_settled_yet() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.fail(Call::Capture, ada.id, vec![Fault::ErrorBefore; 7]);
    let order = ada.place(&shop.client, "k").await.unwrap();
    assert_eq!(order.state(), OrderState::Confirmed);
    settled(&stage, &order).await;
    stage.assert_sold(&ada, &order);
}

#[tokio::test]
async fn an_order_whose_stock_was_lost_is_cancelled_and_the_money_goes_back() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let gate = stage.world.hold(Call::Commit, ada.id);
    let placing = ada.place(&shop.client, "k");
    let losing = async {
        gate.reached().await;
        let id = ada.orders(&shop.client).await[0].order_id.clone();
        stage.world.lose_reservation(id.parse().unwrap());
        gate.open();
    };
    let (order, ()) = tokio::join!(placing, losing);
    let order = order.unwrap();
    assert_eq!(order.state(), OrderState::Cancelled);
    assert_eq!(order.failure_reason, "STOCK_LOST");
    stage.assert_given_back(&ada, &order);
    assert_eq!(stage.world.payment_of(id_of(&order)), Some(Payment::Reversed));
}

#[tokio::test]
async fn an_unknown_order_cannot_be_cancelled() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let refusal = ada.cancel(&shop.client, &Uuid::now_v7().to_string()).await.unwrap_err();
    assert_eq!(reason(&refusal), "ORDER_NOT_FOUND");
}

//! Every call breaks, before its effect and after it.

use proto::orders::v1::OrderState;

use crate::stage::{Stage, id_of, settled};
use crate::world::{Call, Fault};

const FORWARD: [Call; 5] =
    [Call::Reserve, Call::Authorize, Call::Commit, Call::Capture, Call::SettleCart];
const BACKWARD: [Call; 2] = [Call::Reverse, Call::Release];

fn faults() -> [Vec<Fault>; 3] {
    let (before, after) = (Fault::ErrorBefore, Fault::ErrorAfter);
    [vec![before.clone()], vec![after.clone()], vec![before, after]]
}

#[tokio::test]
async fn a_checkout_survives_every_broken_step() {
    let (stage, shop) = Stage::with_instance().await;
    for call in FORWARD {
        for fault in faults() {
            let ada = stage.customer();
            let times = fault.len();
            stage.world.fail(call, ada.id, fault);
            let order = ada.place(&shop.client, "k").await.unwrap();
            settled(&stage, &order).await;
            stage.assert_sold(&ada, &order);
            let tried = stage.world.calls_of(id_of(&order)).into_iter().filter(|c| *c == call);
            assert_eq!(tried.count(), times + 1, "{call:?}");
            let facts = stage.facts_of(&order).await;
            assert_eq!(facts, ["orders.v1.order_placed", "orders.v1.order_confirmed"]);
        }
    }
}

#[tokio::test]
async fn a_failing_checkout_survives_every_broken_undo() {
    let (stage, shop) = Stage::with_instance().await;
    for call in BACKWARD {
        for fault in faults() {
            let ada = stage.customer();
            stage.world.decline(ada.id, "PAYMENT_ACTION_REQUIRED");
            stage.world.fail(call, ada.id, fault);
            let order = ada.place(&shop.client, "k").await.unwrap();
            assert_eq!(order.state(), OrderState::Failed);
            assert_eq!(order.failure_reason, "PAYMENT_ACTION_REQUIRED");
            stage.assert_given_back(&ada, &order);
            let facts = stage.facts_of(&order).await;
            assert_eq!(facts, ["orders.v1.order_placed", "orders.v1.order_failed"]);
        }
    }
}

#[tokio::test]
async fn a_cancellation_survives_every_broken_undo() {
    let (stage, shop) = Stage::with_instance().await;
    for call in BACKWARD {
        for fault in faults() {
            let ada = stage.customer();
            let order = ada.place(&shop.client, "k").await.unwrap();
            stage.world.fail(call, ada.id, fault);
            let order = ada.cancel(&shop.client, &order.order_id).await.unwrap();
            assert_eq!(order.state(), OrderState::Cancelled);
            stage.assert_given_back(&ada, &order);
            let facts = stage.facts_of(&order).await;
            assert_eq!(facts.last().unwrap(), "orders.v1.order_cancelled");
            assert_eq!(facts.len(), 3, "{facts:?}");
        }
    }
}

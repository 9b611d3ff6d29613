//! A process is asked to end while it drives sagas.

use proto::orders::v1::OrderState;

use crate::stage::{Stage, id_of, settled};
use crate::world::Call;

#[tokio::test]
async fn a_process_that_is_asked_to_end_finishes_what_it_drives() {
    let stage = Stage::open().await;
    let (leaving, staying) = (stage.instance(&[]).await, stage.instance(&[]).await);
    let ada = stage.customer();
    let payment = stage.world.hold(Call::Authorize, ada.id);
    let placing = ada.place(&leaving.client, "k");
    let ending = async {
        payment.reached().await;
        leaving.shut_down();
        payment.open();
    };
    let (order, ()) = tokio::join!(placing, ending);
    stage.assert_sold(&ada, &order.unwrap());
    assert_eq!(ada.orders(&staying.client).await.len(), 1);
}

#[tokio::test]
async fn a_process_that_must_end_hands_its_sagas_over_at_once() {
    let stage = Stage::open().await;
    // The lease would keep the saga for minutes.
    let long_lease = ["--saga-lease-ms=240000"];
    let (leaving, staying) = (stage.instance(&long_lease).await, stage.instance(&long_lease).await);
    let ada = stage.customer();
    let stock = stage.world.hold(Call::Reserve, ada.id);
    let request = async {
        let _ = ada.place(&leaving.client, "k").await;
    };
    let asked = async {
        stock.reached().await;
        leaving.shut_down();
    };
    // The request ends when the process has drained: the step is still going on.
    tokio::join!(request, asked);
    stock.open();
    let order = ada.order_in(&staying.client, OrderState::Confirmed).await;
    settled(&stage, &order).await;
    stage.assert_sold(&ada, &order);
    let reserved = stage.world.calls_of(id_of(&order)).into_iter().filter(|c| *c == Call::Reserve);
    assert_eq!(reserved.count(), 1, "the step that was going on was written down");
}

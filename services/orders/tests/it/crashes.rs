//! A process dies in the middle of every call; another one takes over.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use proto::orders::v1::{Order, OrderState};

use crate::stage::{Client, Customer, SHORT_LEASE, Stage, id_of, settled};
use crate::world::{Call, Fault, Gate};

type Hang = fn(Arc<Gate>) -> Fault;

const MOMENTS: [Hang; 2] = [Fault::HangBefore, Fault::HangAfter];

/// Plays what happens at every point, a few at a time: each has a process of its own.
async fn at_every_point<const N: usize>(calls: [Call; N], play: impl AsyncFn((Call, Hang))) {
    let points = calls.into_iter().flat_map(|call| MOMENTS.map(|hang| (call, hang)));
    stream::iter(points).for_each_concurrent(3, |point| play(point)).await;
}

/// Begins something on a process that dies in a call.
async fn die_in<T: std::fmt::Debug>(
    stage: &Stage,
    customer: &Customer,
    (call, hang): (Call, Hang),
    begin: impl AsyncFnOnce(Client) -> T,
) {
    let doomed = stage.instance(&SHORT_LEASE).await;
    let gate = Arc::new(Gate::default());
    stage.world.fail(call, customer.id, [hang(gate.clone())]);
    tokio::select! {
        ended = begin(doomed.client.clone()) => panic!("{call:?} hangs, and yet: {ended:?}"),
        () = gate.reached() => {}
    }
    doomed.kill();
}

async fn ended(stage: &Stage, customer: &Customer, client: &Client, state: OrderState) -> Order {
    let order = customer.order_in(client, state).await;
    settled(stage, &order).await;
    order
}

#[tokio::test]
async fn a_checkout_whose_process_dies_in_any_call_is_finished_by_another() {
    let stage = Stage::open().await;
    let heir = stage.instance(&SHORT_LEASE).await;
    let forward = [Call::Reserve, Call::Authorize, Call::Commit, Call::Capture, Call::SettleCart];
    at_every_point(forward, async |point| {
        let ada = stage.customer();
        die_in(&stage, &ada, point, async |client| ada.place(&client, "k").await).await;
        let order = ended(&stage, &ada, &heir.client, OrderState::Confirmed).await;
        stage.assert_sold(&ada, &order);
        assert_eq!(ada.place(&heir.client, "k").await.unwrap(), order);
        let facts = stage.facts_of(&order).await;
        assert_eq!(facts, ["orders.v1.order_placed", "orders.v1.order_confirmed"]);
    })
    .await;
}

#[tokio::test]
async fn a_failing_checkout_whose_process_dies_in_any_undo_is_undone_by_another() {
    let stage = Stage::open().await;
    let heir = stage.instance(&SHORT_LEASE).await;
    at_every_point([Call::Reverse, Call::Release], async |point| {
        let ada = stage.customer();
        stage.world.decline(ada.id, "PAYMENT_DECLINED");
        die_in(&stage, &ada, point, async |client| ada.place(&client, "k").await).await;
        let order = ended(&stage, &ada, &heir.client, OrderState::Failed).await;
        stage.assert_given_back(&ada, &order);
    })
    .await;
}

#[tokio::test]
async fn a_cancellation_whose_process_dies_in_any_undo_is_finished_by_another() {
    let stage = Stage::open().await;
    let heir = stage.instance(&SHORT_LEASE).await;
    at_every_point([Call::Reverse, Call::Release], async |point| {
        let ada = stage.customer();
        let order = ada.place(&heir.client, "k").await.unwrap();
        let cancel = async |client| ada.cancel(&client, &order.order_id).await;
        die_in(&stage, &ada, point, cancel).await;
        let order = ended(&stage, &ada, &heir.client, OrderState::Cancelled).await;
        stage.assert_given_back(&ada, &order);
    })
    .await;
}

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
    let order = ended(&stage, &ada, &staying.client, OrderState::Confirmed).await;
    stage.assert_sold(&ada, &order);
    let reserved = stage.world.calls_of(id_of(&order)).into_iter().filter(|c| *c == Call::Reserve);
    assert_eq!(reserved.count(), 1, "the step that was going on was written down");
}

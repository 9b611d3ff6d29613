//! Watching orders.

use proto::orders::v1::{OrderState, WatchOrderRequest, WatchOrderResponse};
use testkit::bearer;
use tokio::time::timeout;
use tonic::Streaming;

use crate::stage::{Client, Customer, LONG, Stage};
use crate::world::Call;

type Stream = Streaming<WatchOrderResponse>;

async fn watch(customer: &Customer, client: &Client, order_id: &str) -> Stream {
    let request = WatchOrderRequest { order_id: order_id.to_owned() };
    client.clone().watch_order(bearer(request, &customer.token)).await.unwrap().into_inner()
}

/// The next state, and whether it is the last.
async fn next(stream: &mut Stream) -> Option<(OrderState, bool)> {
    let answer = timeout(LONG, stream.message()).await.expect("an answer in time").unwrap()?;
    Some((answer.order.unwrap().state(), answer.r#final))
}

#[tokio::test]
async fn a_watch_sees_every_state_in_order_whichever_process_makes_it() {
    let stage = Stage::open().await;
    let (shop, other) = (stage.instance(&[]).await, stage.instance(&[]).await);
    let ada = stage.customer();
    let payment = stage.world.hold(Call::Authorize, ada.id);
    let placing = ada.place(&shop.client, "k");
    let watching = async {
        payment.reached().await;
        let id = ada.orders(&other.client).await[0].order_id.clone();
        let mut stream = watch(&ada, &other.client, &id).await;
        assert_eq!(next(&mut stream).await, Some((OrderState::Pending, false)));
        payment.open();
        assert_eq!(next(&mut stream).await, Some((OrderState::Confirmed, false)));
        stream
    };
    let (order, mut stream) = tokio::join!(placing, watching);
    let money = stage.world.hold(Call::Reverse, ada.id);
    let id = order.unwrap().order_id;
    let cancelling = ada.cancel(&shop.client, &id);
    let watching = async {
        assert_eq!(next(&mut stream).await, Some((OrderState::Cancelling, false)));
        money.open();
        assert_eq!(next(&mut stream).await, Some((OrderState::Cancelled, true)));
        assert_eq!(next(&mut stream).await, None);
    };
    tokio::join!(cancelling, watching).0.unwrap();
}

#[tokio::test]
async fn a_watch_of_a_final_order_says_so_and_ends() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.decline(ada.id, "PAYMENT_DECLINED");
    let order = ada.place(&shop.client, "k").await.unwrap();
    let mut stream = watch(&ada, &shop.client, &order.order_id).await;
    assert_eq!(next(&mut stream).await, Some((OrderState::Failed, true)));
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn a_watch_ends_without_an_error_when_its_process_ends() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let order = ada.place(&shop.client, "k").await.unwrap();
    let mut stream = watch(&ada, &shop.client, &order.order_id).await;
    assert_eq!(next(&mut stream).await, Some((OrderState::Confirmed, false)));
    shop.shut_down();
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn a_watch_goes_on_after_the_database_cut_its_connections() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let order = ada.place(&shop.client, "k").await.unwrap();
    let mut stream = watch(&ada, &shop.client, &order.order_id).await;
    assert_eq!(next(&mut stream).await, Some((OrderState::Confirmed, false)));
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()",
    )
    .execute(&stage.database.pool)
    .await
    .unwrap();
    let cancelled = testkit::eventually("a cancelled order", async || {
        ada.cancel(&shop.client, &order.order_id).await.ok()
    })
    .await;
    assert_eq!(cancelled.state(), OrderState::Cancelled);
    let seen = loop {
        let (state, last) = next(&mut stream).await.expect("no end before the final state");
        if last {
            break state;
        }
    };
    assert_eq!(seen, OrderState::Cancelled);
}

//! Placing orders.

use proto::orders::v1::OrderState;
use testkit::{fields, reason};
use tokio::time::timeout;
use tonic::Code;
use types::{Currency, Money};
use uuid::Uuid;

use crate::stage::{Customer, LONG, Stage, id_of, place_request, settled};
use crate::world::{Call, Fault};

#[tokio::test]
async fn a_checkout_confirms_the_order_and_does_everything_once() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let order = ada.place(&shop.client, "k").await.unwrap();
    stage.assert_sold(&ada, &order);
    assert_eq!(order.total.as_ref().map(|t| (t.units, t.nanos)), Some((25, 980_000_000)));
    assert!(!order.payment_id.is_empty());
    let calls = stage.world.calls_of(id_of(&order));
    assert_eq!(calls[..2], [Call::Reserve, Call::Authorize]);
    assert_eq!(calls.len(), 5, "{calls:?}");
    assert_eq!(
        stage.facts_of(&order).await,
        ["orders.v1.order_placed", "orders.v1.order_confirmed"]
    );
    assert_eq!(ada.get(&shop.client, &order.order_id).await.unwrap(), order);
}

#[tokio::test]
async fn the_same_key_answers_the_same_order() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let first = ada.place(&shop.client, "k").await.unwrap();
    let again = ada.place(&shop.client, "k").await.unwrap();
    assert_eq!(first, again);
    assert_eq!(stage.world.calls_of(id_of(&first)).len(), 5);
}

#[tokio::test]
async fn a_request_whose_twin_has_emptied_the_cart_answers_the_twins_order() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let gate = stage.world.hold_reader(ada.id);
    let overtaking = async {
        gate.reached().await;
        let order = ada.place(&shop.client, "k").await.unwrap();
        settled(&stage, &order).await;
        gate.open();
        order
    };
    let (slow, fast) = tokio::join!(ada.place(&shop.client, "k"), overtaking);
    assert_eq!(slow.unwrap(), fast);
    stage.assert_sold(&ada, &fast);
}

#[tokio::test]
async fn a_key_that_came_with_another_request_is_refused() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    ada.place(&shop.client, "k").await.unwrap();
    let mut other = place_request();
    other.payment_token = "tok_other".to_owned();
    let refusal = ada.place_with(&shop.client, "k", other).await.unwrap_err();
    assert_eq!(refusal.code(), Code::AlreadyExists);
    assert_eq!(reason(&refusal), "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_key_belongs_to_its_user() {
    let (stage, shop) = Stage::with_instance().await;
    let (ada, bob) = (stage.customer(), stage.customer());
    let hers = ada.place(&shop.client, "k").await.unwrap();
    let his = bob.place(&shop.client, "k").await.unwrap();
    assert_ne!(hers.order_id, his.order_id);
}

#[tokio::test]
async fn requests_at_once_with_one_key_make_one_order() {
    let (stage, shop) = Stage::with_instance().await;
    let other = stage.instance(&[]).await;
    let ada = stage.customer();
    let clients = [&shop.client, &other.client, &shop.client, &other.client];
    let placing = clients.map(|client| ada.place(client, "k"));
    let placed: Vec<_> =
        futures::future::join_all(placing).await.into_iter().map(Result::unwrap).collect();
    for order in &placed {
        assert_eq!(order.order_id, placed[0].order_id);
        stage.assert_sold(&ada, order);
    }
    assert_eq!(ada.orders(&shop.client).await.len(), 1);
    assert_eq!(stage.world.calls_of(id_of(&placed[0])).len(), 5);
}

#[tokio::test]
async fn an_order_needs_a_key_and_something_in_the_cart() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.fill_cart(ada.id, &[]);
    let refusal = ada.place(&shop.client, "k").await.unwrap_err();
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refusal), "CART_EMPTY");
    let refusal = ada.place(&shop.client, "").await.unwrap_err();
    assert_eq!(reason(&refusal), "IDEMPOTENCY_KEY_MISSING");
    assert!(ada.orders(&shop.client).await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_bought_is_named() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let (gone, foreign) =
        (stage.world.kettle(), stage.world.product(Money::new(500, Currency::Usd), 10));
    stage.world.withdraw(gone);
    stage.world.fill_cart(ada.id, &[(ada.kettle, 1), (gone, 1), (foreign, 1)]);
    let refusal = ada.place(&shop.client, "k").await.unwrap_err();
    assert_eq!(refusal.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refusal), "PRODUCT_UNAVAILABLE");
    assert_eq!(fields(&refusal), ["cart.items[1].product_id", "cart.items[2].product_id"]);
    assert!(ada.orders(&shop.client).await.is_empty());
}

#[tokio::test]
async fn a_declined_payment_fails_the_order_and_puts_the_stock_back() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.decline(ada.id, "PAYMENT_DECLINED");
    let order = ada.place(&shop.client, "k").await.unwrap();
    assert_eq!(order.state(), OrderState::Failed);
    assert_eq!(order.failure_reason, "PAYMENT_DECLINED");
    stage.assert_given_back(&ada, &order);
    assert_eq!(stage.world.cart_of(ada.id).len(), 1);
    assert_eq!(stage.facts_of(&order).await, ["orders.v1.order_placed", "orders.v1.order_failed"]);
}

#[tokio::test]
async fn too_little_stock_fails_the_order_and_charges_nothing() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.fill_cart(ada.id, &[(ada.kettle, 11)]);
    let order = ada.place(&shop.client, "k").await.unwrap();
    assert_eq!(order.state(), OrderState::Failed);
    assert_eq!(order.failure_reason, "OUT_OF_STOCK");
    stage.assert_given_back(&ada, &order);
    assert_eq!(stage.world.calls_of(id_of(&order)), [Call::Reserve, Call::Release]);
}

#[tokio::test]
async fn the_last_pieces_are_sold_once() {
    let (stage, shop) = Stage::with_instance().await;
    let kettle = stage.world.kettle();
    let customers: Vec<Customer> = (0..8).map(|_| stage.customer()).collect();
    for customer in &customers {
        stage.world.fill_cart(customer.id, &[(kettle, 3)]);
    }
    let placing = customers.iter().map(|customer| customer.place(&shop.client, "k"));
    let placed = futures::future::join_all(placing).await;
    let confirmed =
        placed.into_iter().filter(|o| o.as_ref().unwrap().state() == OrderState::Confirmed);
    assert_eq!(confirmed.count(), 3);
    assert_eq!(stage.world.stock_of(kettle), 1);
}

#[tokio::test]
async fn a_checkout_that_comes_to_nothing_by_its_deadline_is_undone() {
    let stage = Stage::open().await;
    let shop = stage.instance(&["--saga-deadline-ms=1000"]).await;
    let ada = stage.customer();
    stage.world.fail(Call::Authorize, ada.id, vec![Fault::ErrorAfter; 50]);
    let order = ada.place(&shop.client, "k").await.unwrap();
    assert_eq!(order.state(), OrderState::Failed);
    assert_eq!(order.failure_reason, "CHECKOUT_TIMED_OUT");
    stage.assert_given_back(&ada, &order);
}

#[tokio::test]
async fn a_slow_checkout_is_answered_pending_and_goes_on_by_itself() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let payment = stage.world.hold(Call::Authorize, ada.id);
    // The action is given up after its time; the try after that goes well.
    let order = timeout(LONG, ada.place(&shop.client, "k")).await.unwrap().unwrap();
    assert_eq!(order.state(), OrderState::Pending);
    payment.open();
    let order = ada.order_in(&shop.client, OrderState::Confirmed).await;
    settled(&stage, &order).await;
    stage.assert_sold(&ada, &order);
}

#[tokio::test]
async fn an_order_goes_on_when_its_request_is_dropped() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let payment = stage.world.hold(Call::Authorize, ada.id);
    tokio::select! {
        _ = ada.place(&shop.client, "k") => panic!("the payment is held"),
        () = payment.reached() => {}
    }
    payment.open();
    let order = ada.order_in(&shop.client, OrderState::Confirmed).await;
    settled(&stage, &order).await;
    stage.assert_sold(&ada, &order);
}

#[tokio::test]
async fn no_order_is_placed_while_the_cart_does_not_answer() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    stage.world.go_down(true);
    let refusal = ada.place(&shop.client, "k").await.unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable);
    stage.world.go_down(false);
    let order = ada.place(&shop.client, "k").await.unwrap();
    stage.assert_sold(&ada, &order);
}

#[tokio::test]
async fn the_payment_token_is_not_kept() {
    let (stage, shop) = Stage::with_instance().await;
    let ada = stage.customer();
    let order = ada.place(&shop.client, "k").await.unwrap();
    let token: Option<String> =
        sqlx::query_scalar("select payment_token from sagas where order_id = $1")
            .bind(Uuid::parse_str(&order.order_id).unwrap())
            .fetch_one(&stage.database.pool)
            .await
            .unwrap();
    assert_eq!(token, None);
}

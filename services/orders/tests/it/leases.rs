//! One driver at a time: leases, and the fence against those who lost theirs.

use std::time::Duration;

use futures::future::join_all;
use orders::core::ports::{Key, Leased, SagaStore};
use orders::domain::{
    Address, Order, OrderFact, OrderLine, OrderState, Outcome, PaymentToken, Progress, Saga, Step,
};
use orders::infrastructure::PostgresSagas;
use testkit::{TestDatabase, eventually};
use time::OffsetDateTime;
use types::{Currency, Money};
use uuid::Uuid;

use crate::stage::{Stage, settled};
use crate::world::{Call, Fault};

const BLINK: Duration = Duration::from_millis(50);
const AGES: Duration = Duration::from_secs(600);

async fn database() -> TestDatabase {
    testkit::database(&[&orders::MIGRATOR, &events::OUTBOX, &personal::ERASED]).await
}

fn store(database: &TestDatabase, lease: Duration) -> PostgresSagas {
    PostgresSagas::new(database.pool.clone(), lease)
}

async fn place(store: &PostgresSagas) -> Leased {
    let line = OrderLine {
        product_id: Uuid::now_v7(),
        name: "Kettle".to_owned(),
        quantity: 1,
        unit_price: Money::new(1, Currency::Eur),
    };
    let address = Address {
        recipient: "Ada".to_owned(),
        street: "Square".to_owned(),
        city: "London".to_owned(),
        postal_code: "1".to_owned(),
        country_code: "GB".to_owned(),
    };
    let now = OffsetDateTime::now_utc();
    let order = Order::place(Uuid::now_v7(), vec![line], address, now).unwrap();
    let saga = Saga::checkout(order, PaymentToken("tok".to_owned()), now, AGES);
    let key = Key { text: "k".to_owned(), fingerprint: [0; 32] };
    store.place(saga, &key).await.unwrap().unwrap()
}

async fn claim(store: &PostgresSagas) -> Leased {
    eventually("a saga that is due", async || store.claim_due(10).await.unwrap().pop()).await
}

fn advance(leased: &mut Leased, outcome: Outcome) -> Option<OrderFact> {
    leased.saga.advance(outcome, OffsetDateTime::now_utc(), 0.0)
}

#[tokio::test]
async fn whoever_lost_the_lease_writes_nothing() {
    let database = database().await;
    let mut stale = place(&store(&database, BLINK)).await;
    let sagas = store(&database, AGES);
    let mut heir = claim(&sagas).await;
    advance(&mut heir, Outcome::Done);
    assert!(sagas.save(&mut heir, None).await.unwrap());

    // The stale driver got as far as a refusal and would fail the order.
    advance(&mut stale, Outcome::Refused("STOCK_INSUFFICIENT".to_owned()));
    let fact = advance(&mut stale, Outcome::Done);
    assert_eq!(fact, Some(OrderFact::Failed));
    assert!(!sagas.save(&mut stale, fact).await.unwrap());

    advance(&mut heir, Outcome::Paid(Uuid::now_v7()));
    assert!(sagas.save(&mut heir, None).await.unwrap());
    let fact = advance(&mut heir, Outcome::Done);
    assert!(sagas.save(&mut heir, fact).await.unwrap());
    assert_eq!((heir.saga.order.state, heir.saga.step), (OrderState::Confirmed, Step::Settle));
    let facts: i64 =
        sqlx::query_scalar("select count(*) from outbox").fetch_one(&database.pool).await.unwrap();
    assert_eq!(facts, 2, "placed and confirmed");
}

#[tokio::test]
async fn a_driver_cannot_write_the_same_transition_twice() {
    let database = database().await;
    let sagas = store(&database, AGES);
    let mut leased = place(&sagas).await;
    let mut copy = leased.clone();
    advance(&mut leased, Outcome::Done);
    advance(&mut copy, Outcome::Done);
    assert!(sagas.save(&mut leased, None).await.unwrap());
    assert!(!sagas.save(&mut copy, None).await.unwrap());
}

#[tokio::test]
async fn a_lease_that_holds_is_neither_taken_over_nor_cancelled() {
    let database = database().await;
    let sagas = store(&database, AGES);
    let leased = place(&sagas).await;
    assert!(sagas.claim_due(10).await.unwrap().is_empty());
    assert!(sagas.cancel(leased.saga.order.id, AGES).await.unwrap().is_none());
}

#[tokio::test]
async fn a_pause_gives_the_lease_up_and_is_kept() {
    let database = database().await;
    let sagas = store(&database, AGES);
    let mut leased = place(&sagas).await;
    leased.saga.progress = Progress::Paused(AGES);
    assert!(sagas.save(&mut leased, None).await.unwrap());
    assert!(sagas.claim_due(10).await.unwrap().is_empty(), "not due yet");
    assert!(!sagas.save(&mut leased, None).await.unwrap(), "the lease is gone");
    let cancelled = sagas.cancel(leased.saga.order.id, AGES).await.unwrap().unwrap();
    assert_eq!(cancelled.saga.order.state, OrderState::Cancelling);
}

#[tokio::test]
async fn a_due_saga_is_claimed_by_one_of_many() {
    let database = database().await;
    place(&store(&database, BLINK)).await;
    let sagas = store(&database, AGES);
    eventually("one claim", async || {
        let claims = join_all((0..4).map(|_| sagas.claim_due(10))).await;
        let claimed: usize = claims.into_iter().map(|claim| claim.unwrap().len()).sum();
        assert!(claimed <= 1);
        (claimed == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_saga_that_cannot_be_read_does_not_hold_up_the_others() {
    let database = database().await;
    let brief = store(&database, BLINK);
    let (strange, good) = (place(&brief).await, place(&brief).await);
    sqlx::query("update orders set currency = 'XTS' where id = $1")
        .bind(strange.saga.order.id)
        .execute(&database.pool)
        .await
        .unwrap();
    let claimed = claim(&store(&database, AGES)).await;
    assert_eq!(claimed.saga.order.id, good.saga.order.id);
}

#[tokio::test]
async fn two_processes_never_do_the_same_thing_at_once() {
    let stage = Stage::open().await;
    let shops = [stage.instance(&[]).await, stage.instance(&[]).await];
    let placing = (0..24).map(async |n: usize| {
        let ada = stage.customer();
        let faults = vec![Fault::ErrorAfter, Fault::ErrorBefore];
        let calls = [Call::Reserve, Call::Authorize, Call::Capture];
        stage.world.fail(calls[n % 3], ada.id, faults);
        let order = ada.place(&shops[n % 2].client, "k").await.unwrap();
        settled(&stage, &order).await;
        stage.assert_sold(&ada, &order);
    });
    join_all(placing).await;
    assert_eq!(stage.world.overlaps(), 0);
}

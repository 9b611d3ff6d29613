//! Operators look at sagas and act on them, with who and why written down.

use std::time::Duration;

use orders::core::ports::{Census, SagaDesk};
use orders::infrastructure::PostgresSagas;
use proto::orders::v1::{
    CompensateSagaRequest, GetSagaRequest, ListSagasRequest, Order, OrderState, RetrySagaRequest,
    Saga, SagaDirection, SagaFilter, SagaKind, SagaStep,
};
use testkit::{bearer, eventually, fields, reason};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::stage::{Customer, Instance, Stage, id_of, settled};
use crate::world::{Call, Fault, Payment};

/// Tries that go wrong, more than any test waits for.
const ALWAYS: usize = 1_000;

/// An operator at an instance.
struct Desk<'a> {
    shop: &'a Instance,
    id: Uuid,
    token: String,
}

impl<'a> Desk<'a> {
    fn of(stage: &Stage, shop: &'a Instance) -> Self {
        let (id, token) = stage.operator();
        Self { shop, id, token }
    }

    async fn list(&self, filter: SagaFilter) -> Vec<Saga> {
        let request = ListSagasRequest { filter: filter.into(), ..Default::default() };
        let answer = self.shop.sagas.clone().list_sagas(bearer(request, &self.token)).await;
        answer.unwrap().into_inner().sagas
    }

    async fn get(&self, order_id: &str) -> Result<Saga, Status> {
        let request = GetSagaRequest { order_id: order_id.to_owned() };
        let answer = self.shop.sagas.clone().get_saga(bearer(request, &self.token)).await;
        Ok(answer?.into_inner())
    }

    async fn retry(&self, order_id: &str, why: &str) -> Result<Saga, Status> {
        let request = RetrySagaRequest { order_id: order_id.to_owned(), reason: why.to_owned() };
        let answer = self.shop.sagas.clone().retry_saga(bearer(request, &self.token)).await;
        Ok(answer?.into_inner())
    }

    async fn compensate(&self, order_id: &str, why: &str) -> Result<Saga, Status> {
        let request =
            CompensateSagaRequest { order_id: order_id.to_owned(), reason: why.to_owned() };
        let answer = self.shop.sagas.clone().compensate_saga(bearer(request, &self.token)).await;
        Ok(answer?.into_inner())
    }

    /// Who did what and why, and what came of it, newest first.
    async fn deeds(&self, order_id: &str) -> Vec<(String, String, String, String)> {
        let actions = self.get(order_id).await.unwrap().actions;
        actions.into_iter().map(|a| (a.actor_id, a.action, a.reason, a.outcome)).collect()
    }
}

/// A customer's order whose call always goes wrong, once its saga waits for another
/// try.
async fn stuck(stage: &Stage, shop: &Instance, call: Call) -> (Customer, Order) {
    let ada = stage.customer();
    stage.world.fail(call, ada.id, vec![Fault::ErrorBefore; ALWAYS]);
    let waiting = eventually("an order whose saga waits", async || {
        let order = ada.orders(&shop.client).await.pop()?;
        let paused = "select attempts > 1 and lease_until is null from sagas where order_id = $1";
        let paused: bool = sqlx::query_scalar(paused)
            .bind(id_of(&order))
            .fetch_one(&stage.database.pool)
            .await
            .unwrap();
        paused.then_some(order)
    });
    let placing = async {
        let _ = ada.place(&shop.client, "k").await;
        std::future::pending::<()>().await;
    };
    let order = tokio::select! {
        order = waiting => order,
        () = placing => unreachable!(),
    };
    (ada, order)
}

/// The saga waits for ages, as after many failed tries.
async fn pause(stage: &Stage, order: &Order) {
    eventually("a saga that nobody drives", async || {
        let paused = sqlx::query(
            "update sagas set next_run_at = now() + interval '1 hour', attempts = 40
             where order_id = $1 and lease_until is null",
        );
        let paused = paused.bind(id_of(order)).execute(&stage.database.pool).await.unwrap();
        (paused.rows_affected() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_operator_finds_a_saga_that_is_stuck_and_sees_why() {
    let stage = Stage::open().await;
    let shop = stage.instance(&["--saga-deadline-ms=500"]).await;
    let desk = Desk::of(&stage, &shop);
    let (_, order) = stuck(&stage, &shop, Call::Capture).await;
    let overdue =
        eventually("a saga that is overdue", async || desk.list(SagaFilter::Overdue).await.pop())
            .await;
    assert_eq!(overdue.order_id, order.order_id);
    let saga = desk.get(&order.order_id).await.unwrap();
    assert!(saga.overdue && !saga.ended, "{saga:?}");
    assert_eq!((saga.kind(), saga.direction()), (SagaKind::Checkout, SagaDirection::Forward));
    assert_eq!((saga.step(), saga.order_state()), (SagaStep::Settle, OrderState::Confirmed));
    assert_eq!(saga.last_error, "the double was told to fail");
    assert!(saga.attempts > 1 && saga.next_run_time.is_some());
    assert_eq!(saga.actions, []);
    assert_eq!(desk.list(SagaFilter::Unspecified).await.len(), 1);
}

#[tokio::test]
async fn every_saga_past_its_deadline_is_counted_whether_somebody_holds_it_or_not() {
    let (stage, shop) = Stage::with_instance().await;
    let desk = PostgresSagas::new(stage.database.pool.clone(), Duration::from_secs(60));
    let ended = stage.customer().place(&shop.client, "k").await.unwrap();
    settled(&stage, &ended).await;
    assert_eq!(desk.count().await.unwrap(), Census::default());
    let mut orders = Vec::new();
    for _ in 0..3 {
        let (_, order) = stuck(&stage, &shop, Call::Capture).await;
        pause(&stage, &order).await;
        orders.push(id_of(&order));
    }
    let held = "update sagas set lease_owner = gen_random_uuid(),
                    lease_until = now() + interval '1 hour'
                where order_id = $1";
    let late = "update sagas set started_at = now() - interval '2 hours',
                    deadline_at = now() - interval '1 hour'
                where order_id = any($1) or status = 'done'";
    let database = &stage.database.pool;
    sqlx::query(held).bind(orders[0]).execute(database).await.unwrap();
    sqlx::query(late).bind(&orders[..2]).execute(database).await.unwrap();
    let Census { running, overdue, oldest_seconds } = desk.count().await.unwrap();
    assert_eq!(running, [("forward".to_owned(), "settle".to_owned(), 3)]);
    assert_eq!(overdue, 2, "the one that is held and the one that nobody holds");
    assert!((7_200.0..7_300.0).contains(&oldest_seconds), "{oldest_seconds}");
}

#[tokio::test]
async fn a_saga_that_somebody_drives_shows_until_when() {
    let (stage, shop) = Stage::with_instance().await;
    let (desk, ada) = (Desk::of(&stage, &shop), stage.customer());
    let gate = stage.world.hold(Call::Authorize, ada.id);
    let looking = async {
        gate.reached().await;
        let driven = desk.list(SagaFilter::Running).await;
        gate.open();
        driven
    };
    let (order, driven) = tokio::join!(ada.place(&shop.client, "k"), looking);
    assert_eq!(driven.len(), 1);
    assert!(driven[0].lease_end_time.is_some());
    settled(&stage, &order.unwrap()).await;
    assert_eq!(desk.list(SagaFilter::Unspecified).await, []);
    let ended = desk.get(&driven[0].order_id).await.unwrap();
    assert!(ended.ended && ended.next_run_time.is_none() && ended.lease_end_time.is_none());
}

#[tokio::test]
async fn sagas_come_oldest_first_page_by_page() {
    let (stage, shop) = Stage::with_instance().await;
    let desk = Desk::of(&stage, &shop);
    let mut stuck_ones = Vec::new();
    for _ in 0..3 {
        stuck_ones.push(stuck(&stage, &shop, Call::Reserve).await.1.order_id);
    }
    let (mut found, mut page_token) = (Vec::new(), String::new());
    for size in [2, 1] {
        let request = ListSagasRequest { page_size: 2, page_token, ..Default::default() };
        let page = shop.sagas.clone().list_sagas(bearer(request, &desk.token)).await;
        let page = page.unwrap().into_inner();
        assert_eq!(page.sagas.len(), size);
        found.extend(page.sagas.into_iter().map(|saga| saga.order_id));
        page_token = page.next_page_token;
    }
    assert_eq!((found, page_token), (stuck_ones, String::new()));
}

#[tokio::test]
async fn a_saga_that_is_retried_runs_at_once_and_it_is_written_down_who_wanted_it() {
    let (stage, shop) = Stage::with_instance().await;
    let desk = Desk::of(&stage, &shop);
    let (ada, order) = stuck(&stage, &shop, Call::Capture).await;
    pause(&stage, &order).await;
    stage.world.heal(Call::Capture, ada.id);
    let due = desk.retry(&order.order_id, "payments are back").await.unwrap();
    assert_eq!(due.attempts, 0);
    settled(&stage, &order).await;
    stage.assert_sold(&ada, &ada.get(&shop.client, &order.order_id).await.unwrap());
    let done = (desk.id.to_string(), "saga.retry", "payments are back", "due now");
    let done = (done.0, done.1.to_owned(), done.2.to_owned(), done.3.to_owned());
    assert_eq!(desk.deeds(&order.order_id).await, [done]);
}

#[tokio::test]
async fn a_checkout_that_an_operator_gives_up_fails_and_a_promised_order_is_cancelled() {
    let (stage, shop) = Stage::with_instance().await;
    let desk = Desk::of(&stage, &shop);
    for (call, state, fact, step) in [
        (Call::Authorize, OrderState::Failed, "orders.v1.order_failed", "pay"),
        (Call::Capture, OrderState::Cancelled, "orders.v1.order_cancelled", "settle"),
    ] {
        let (ada, order) = stuck(&stage, &shop, call).await;
        pause(&stage, &order).await;
        let saga = desk.compensate(&order.order_id, "the customer called").await.unwrap();
        assert!(saga.ended && saga.direction() == SagaDirection::Backward, "{saga:?}");
        assert_eq!((saga.order_state(), saga.reason.as_str()), (state, "CANCELLED_BY_OPERATOR"));
        let order = ada.get(&shop.client, &order.order_id).await.unwrap();
        assert_eq!(order.failure_reason, "CANCELLED_BY_OPERATOR");
        stage.assert_given_back(&ada, &order);
        assert_eq!(stage.world.payment_of(id_of(&order)), Some(Payment::Reversed));
        assert_eq!(stage.facts_of(&order).await.last().unwrap(), fact);
        let deeds = desk.deeds(&order.order_id).await;
        let (who, what, why, outcome) = &deeds[0];
        assert_eq!((who, deeds.len()), (&desk.id.to_string(), 1));
        assert_eq!((what.as_str(), why.as_str()), ("saga.compensate", "the customer called"));
        assert_eq!(*outcome, format!("goes backward from {step}"));
    }
}

#[tokio::test]
async fn what_has_ended_or_goes_backward_is_refused_and_not_written_down() {
    let (stage, shop) = Stage::with_instance().await;
    let desk = Desk::of(&stage, &shop);
    let ada = stage.customer();
    let sold = ada.place(&shop.client, "k").await.unwrap();
    settled(&stage, &sold).await;
    let (_, undone) = {
        let ada = stage.customer();
        stage.world.decline(ada.id, "PAYMENT_DECLINED");
        stage.world.fail(Call::Release, ada.id, vec![Fault::ErrorBefore; ALWAYS]);
        let order = ada.place(&shop.client, "k").await.unwrap();
        (ada, order)
    };
    pause(&stage, &undone).await;
    let refusals = [
        (desk.retry(&sold.order_id, "why not").await, "SAGA_ENDED"),
        (desk.compensate(&sold.order_id, "why not").await, "SAGA_ENDED"),
        (desk.compensate(&undone.order_id, "why not").await, "SAGA_GOES_BACKWARD"),
    ];
    for (refusal, expected) in refusals {
        let refusal = refusal.unwrap_err();
        assert_eq!(
            (refusal.code(), reason(&refusal).as_str()),
            (Code::FailedPrecondition, expected)
        );
    }
    for order in [&sold, &undone] {
        assert_eq!(desk.deeds(&order.order_id).await, []);
    }
    stage.assert_sold(&ada, &sold);
    let nowhere = Uuid::now_v7().to_string();
    for refusal in [
        desk.get(&nowhere).await,
        desk.retry(&nowhere, "why not").await,
        desk.compensate(&nowhere, "why not").await,
    ] {
        assert_eq!(reason(&refusal.unwrap_err()), "SAGA_NOT_FOUND");
    }
}

#[tokio::test]
async fn an_operator_waits_for_whoever_drives_the_saga_and_never_works_beside_it() {
    let (stage, shop) = Stage::with_instance().await;
    let (desk, ada) = (Desk::of(&stage, &shop), stage.customer());
    let gate = stage.world.hold(Call::Capture, ada.id);
    let acting = async {
        gate.reached().await;
        let id = ada.orders(&shop.client).await[0].order_id.clone();
        let compensating = desk.compensate(&id, "too late");
        let opening = async {
            // Long enough for the operator to find the saga taken.
            desk.get(&id).await.unwrap();
            gate.open();
        };
        tokio::join!(compensating, opening).0
    };
    let (placed, refusal) = tokio::join!(ada.place(&shop.client, "k"), acting);
    assert_eq!(reason(&refusal.unwrap_err()), "SAGA_ENDED");
    stage.assert_sold(&ada, &placed.unwrap());
}

#[tokio::test]
async fn a_saga_that_is_driven_longer_than_the_operator_waits_is_busy() {
    let stage = Stage::open().await;
    let shop = stage.instance(&["--saga-lease-ms=60000"]).await;
    let (desk, ada) = (Desk::of(&stage, &shop), stage.customer());
    let gate = stage.world.hold(Call::Authorize, ada.id);
    let acting = async {
        gate.reached().await;
        let id = ada.orders(&shop.client).await[0].order_id.clone();
        let (retried, compensated) =
            tokio::join!(desk.retry(&id, "at last"), desk.compensate(&id, "at last"));
        (id, [retried.unwrap_err(), compensated.unwrap_err()])
    };
    let (_, (id, refusals)) = tokio::join!(ada.place(&shop.client, "k"), acting);
    for refusal in refusals {
        assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::Aborted, "SAGA_BUSY"));
    }
    assert_eq!(desk.deeds(&id).await, []);
}

#[tokio::test]
async fn nobody_acts_without_a_reason_or_without_being_an_operator() {
    let (stage, shop) = Stage::with_instance().await;
    let desk = Desk::of(&stage, &shop);
    let (ada, order) = stuck(&stage, &shop, Call::Authorize).await;
    for why in ["", &"x".repeat(501)] {
        let refusal = desk.retry(&order.order_id, why).await.unwrap_err();
        assert_eq!(
            (refusal.code(), fields(&refusal)),
            (Code::InvalidArgument, vec!["reason".to_owned()])
        );
    }
    for role in ["customer", "manager"] {
        let token = stage.platform.token(ada.id, &[role]);
        let other = Desk { token, ..Desk::of(&stage, &shop) };
        let refusal = other.compensate(&order.order_id, "mine").await.unwrap_err();
        assert_eq!(refusal.code(), Code::PermissionDenied, "{role}");
        assert_eq!(other.get(&order.order_id).await.unwrap_err().code(), Code::PermissionDenied);
    }
    assert_eq!(desk.deeds(&order.order_id).await, []);
}

#[tokio::test]
async fn a_column_that_the_next_release_adds_to_each_table_disturbs_nobody() {
    let (stage, shop) = Stage::with_instance().await;
    let desk = Desk::of(&stage, &shop);
    // Often enough for every connection that is open to be used.
    let work = async || {
        for _ in 0..4 {
            let ada = stage.customer();
            let order = ada.place(&shop.client, "first").await.unwrap();
            settled(&stage, &order).await;
            ada.get(&shop.client, &order.order_id).await.unwrap();
            assert_eq!(ada.orders(&shop.client).await.len(), 1);
            desk.list(SagaFilter::Unspecified).await;
            desk.get(&order.order_id).await.unwrap();
            ada.cancel(&shop.client, &order.order_id).await.unwrap();
            settled(&stage, &order).await;
        }
    };
    work().await;
    stage.database.widen().await;
    work().await;
}

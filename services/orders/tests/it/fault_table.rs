//! Every action of a saga goes wrong, before its effect and after it, by an error, by
//! silence and by the death of its process, on every road that an order can take. All
//! that is tried and what came of it is written to `saga-faults.md`.

mod cases;
mod confirm;
mod report;

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use proto::orders::v1::{Order, OrderState};

use crate::stage::{Client, Customer, Instance, SHORT_LEASE, Stage, id_of, settled};
use crate::world::{Call, Fault, Gate, Payment, Reservation};
use cases::{Case, Kind, Moment, Point, Road};

/// Tries that go wrong, more than any case waits for.
const ALWAYS: usize = 1_000;
/// Processes that are alive at once.
const DOOMED_AT_ONCE: usize = 3;
const CASES_AT_ONCE: usize = 8;

/// What came of a case.
pub struct Tried {
    case: Case,
    state: OrderState,
    /// How often the call that went wrong was made; 0 where there is none.
    tries: usize,
    /// What is not as it must be.
    wrong: Vec<String>,
}

#[tokio::test]
async fn whatever_goes_wrong_stock_and_money_are_taken_once_or_put_back() {
    let stage = Stage::open().await;
    // Confirmations that are held up each hold a connection.
    let heir = stage.instance(&[SHORT_LEASE[0], "--database-max-connections=16"]).await;
    let (crashes, others): (Vec<_>, Vec<_>) =
        cases::all().into_iter().partition(|case| case.kind == Kind::Crash);
    let play = |case: Case| play(&stage, &heir, case);
    let mut tried: Vec<Tried> =
        stream::iter(others.into_iter().map(play)).buffered(CASES_AT_ONCE).collect().await;
    let crashed = stream::iter(crashes.into_iter().map(play)).buffered(DOOMED_AT_ONCE);
    tried.extend(crashed.collect::<Vec<_>>().await);
    report::write(&tried);
    let wrong: Vec<String> = tried.iter().filter_map(report::wrong).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(stage.world.overlaps(), 0, "nothing was done twice at once");
}

async fn play(stage: &Stage, heir: &Instance, case: Case) -> Tried {
    let ada = stage.customer();
    match case.road {
        Road::Declined => stage.world.decline(ada.id, "PAYMENT_DECLINED"),
        Road::CancelledLater => {
            let order = ada.place(&heir.client, "k").await.expect("an order");
            settled(stage, &order).await;
        }
        Road::Sold | Road::CancelledMidway => {}
    }
    match case.point {
        Point::Confirm => confirm::go_wrong(stage, heir, &ada, case).await,
        Point::Call(call) => go_wrong(stage, heir, &ada, case, call).await,
        Point::Every => {
            for call in cases::CALLS {
                stage.world.fail(call, ada.id, [Fault::ErrorAfter]);
            }
            drop(begin(&heir.client, &ada, case.road).await);
        }
    }
    let order = ada.order_in(&heir.client, case.road.end()).await;
    settled(stage, &order).await;
    let again = ada.place(&heir.client, "k").await.expect("the same order again");
    let tries = |call: Call| {
        stage.world.calls_of(id_of(&order)).into_iter().filter(|made| *made == call).count()
    };
    let tries = match case.point {
        Point::Call(call) => tries(call),
        Point::Every => tries(Call::Reserve).max(tries(Call::Reverse)),
        Point::Confirm => 0,
    };
    let mut wrong = wrong(stage, &ada, &order, case).await;
    if again != order {
        wrong.push("the key answers another order".to_owned());
    }
    Tried { case, state: order.state(), tries, wrong }
}

/// Begins what the road is about, and lets `call` go wrong on the way.
async fn go_wrong(stage: &Stage, heir: &Instance, ada: &Customer, case: Case, call: Call) {
    let gate = Arc::new(Gate::default());
    let fault = match (case.kind, case.moment) {
        (Kind::Error, Moment::Before) => Fault::ErrorBefore,
        (Kind::Error, Moment::After) => Fault::ErrorAfter,
        (_, Moment::Before) => Fault::HangBefore(gate.clone()),
        (_, Moment::After) => Fault::HangAfter(gate.clone()),
    };
    // What is cancelled midway must not get through before.
    let midway = case.road == Road::CancelledMidway;
    let stuck_at = if cases::UNDOS.contains(&call) { Call::Capture } else { call };
    stage.world.fail(call, ada.id, [fault]);
    if midway {
        stage.world.fail(stuck_at, ada.id, vec![Fault::ErrorBefore; ALWAYS]);
    }
    if case.kind != Kind::Crash {
        drop(begin(&heir.client, ada, case.road).await);
        return;
    }
    let doomed = stage.doomed().await;
    let client = doomed.client.clone();
    tokio::select! {
        () = gate.reached() => {}
        ended = begin(&client, ada, case.road) => panic!("{call:?} hangs, and yet: {ended:?}"),
    }
    doomed.kill();
    if midway && !cases::UNDOS.contains(&call) {
        cancel(&heir.client, ada).await;
    }
}

/// What the customer does on this road.
async fn begin(client: &Client, ada: &Customer, road: Road) -> Option<Order> {
    match road {
        Road::Sold | Road::Declined => ada.place(client, "k").await.ok(),
        Road::CancelledLater => cancel(client, ada).await,
        Road::CancelledMidway => {
            let placing = async {
                let _ = ada.place(client, "k").await;
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = placing => None,
                order = cancel(client, ada) => order,
            }
        }
    }
}

/// Cancels the customer's order as soon as there is one and nobody drives it.
async fn cancel(client: &Client, ada: &Customer) -> Option<Order> {
    let cancelled = testkit::eventually("an order that can be cancelled", async || {
        let order = ada.try_orders(client).await.ok()?.pop()?;
        ada.cancel(client, &order.order_id).await.ok()
    });
    Some(cancelled.await)
}

/// What is not as it must be at the end.
async fn wrong(stage: &Stage, ada: &Customer, order: &Order, case: Case) -> Vec<String> {
    let (world, id) = (&stage.world, id_of(order));
    let mut wrong = Vec::new();
    let mut must = |what: &str, holds: bool, found: String| {
        if !holds {
            wrong.push(format!("{what}: {found}"));
        }
    };
    let effects = world.effects_of(id);
    let times = |call: Call| effects.iter().filter(|effect| **effect == call).count();
    let twice = cases::CALLS.into_iter().find(|call| times(*call) > 1);
    must("every effect at most once", twice.is_none(), format!("{effects:?}"));
    let (stock, paid) = (world.reservation_of(id), world.payment_of(id));
    if case.road.end() == OrderState::Confirmed {
        let all = cases::FORWARD.into_iter().all(|call| times(call) == 1) && effects.len() == 5;
        must("everything once", all, format!("{effects:?}"));
        must("stock sold", stock == Some(Reservation::Sold), format!("{stock:?}"));
        must("money taken", paid == Some(Payment::Captured), format!("{paid:?}"));
        must("eight pieces left", world.stock_of(ada.kettle) == 8, String::new());
        must("an empty cart", world.cart_of(ada.id).is_empty(), String::new());
    } else {
        let back = times(Call::Reserve) == times(Call::Release)
            && times(Call::Authorize) == times(Call::Reverse);
        must("all that was taken put back", back, format!("{effects:?}"));
        must("no stock held", stock == Some(Reservation::Released), format!("{stock:?}"));
        let free = matches!(paid, None | Some(Payment::Reversed));
        must("no money held", free, format!("{paid:?}"));
        must("ten pieces left", world.stock_of(ada.kettle) == 10, String::new());
    }
    let facts = stage.facts_of(order).await;
    must("every fact once", facts == case.facts(), format!("{facts:?}"));
    let forgotten: bool =
        sqlx::query_scalar("select payment_token is null from sagas where order_id = $1")
            .bind(id)
            .fetch_one(&stage.database.pool)
            .await
            .expect("the saga's row");
    must("the payment token forgotten", forgotten, String::new());
    wrong
}

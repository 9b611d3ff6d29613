//! The promise goes wrong while it is written down: the database holds it up.

use std::sync::Arc;

use uuid::Uuid;

use super::cases::{Case, Kind, Moment};
use crate::stage::{Customer, Instance, Stage};
use crate::world::{Call, Fault, Gate};

/// Places an order whose confirmation goes wrong.
pub async fn go_wrong(stage: &Stage, heir: &Instance, ada: &Customer, case: Case) {
    let doomed = match case.kind {
        Kind::Crash => Some(stage.doomed().await),
        Kind::Error | Kind::Timeout => None,
    };
    let client = doomed.as_ref().unwrap_or(heir).client.clone();
    let placing = async {
        let _ = ada.place(&client, "k").await;
        std::future::pending::<()>().await;
    };
    let breaking = async {
        match case.moment {
            Moment::Before => before(stage, ada, case.kind, doomed).await,
            Moment::After => {
                // The promise is written down, and nothing was done to keep it.
                let gate = Arc::new(Gate::default());
                stage.world.fail(Call::Commit, ada.id, [Fault::HangBefore(gate.clone())]);
                gate.reached().await;
                doomed.into_iter().for_each(Instance::kill);
            }
        }
    };
    tokio::select! {
        () = placing => {}
        () = breaking => {}
    }
}

async fn before(stage: &Stage, ada: &Customer, kind: Kind, doomed: Option<Instance>) {
    let database = &stage.database.pool;
    let payment = stage.world.hold(Call::Authorize, ada.id);
    payment.reached().await;
    let mut holding = postgres::begin(database).await.unwrap();
    let (order, holder): (Uuid, i32) =
        sqlx::query_as("select id, pg_backend_pid() from orders where user_id = $1 for update")
            .bind(ada.id)
            .fetch_one(&mut *holding)
            .await
            .unwrap();
    payment.open();
    let held_up: i32 = testkit::eventually("a confirmation that waits", async || {
        let blocked = "select pid from pg_stat_activity where $1 = any(pg_blocking_pids(pid))";
        sqlx::query_scalar(blocked).bind(holder).fetch_optional(database).await.unwrap()
    })
    .await;
    match kind {
        Kind::Error => {
            let tear = sqlx::query("select pg_terminate_backend($1)").bind(held_up);
            tear.execute(database).await.unwrap();
        }
        Kind::Timeout => lease_runs_out(stage, order).await,
        Kind::Crash => doomed.into_iter().for_each(Instance::kill),
    }
    holding.rollback().await.unwrap();
}

async fn lease_runs_out(stage: &Stage, order: Uuid) {
    testkit::eventually("a lease that runs out", async || {
        sqlx::query_scalar::<_, bool>("select lease_until < now() from sagas where order_id = $1")
            .bind(order)
            .fetch_one(&stage.database.pool)
            .await
            .unwrap()
            .then_some(())
    })
    .await;
}

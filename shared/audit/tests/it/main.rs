//! The table over a real PostgreSQL.

#![allow(clippy::unwrap_used)]

use audit::Action;
use sqlx::PgPool;
use uuid::Uuid;

async fn table() -> PgPool {
    testkit::database(&[&audit::ACTIONS]).await.pool
}

fn action(why: &str) -> Action<'_> {
    Action { actor: Uuid::now_v7(), action: "saga.retry", target: "order 7", why, outcome: "due" }
}

async fn whys(pool: &PgPool) -> Vec<String> {
    let mut conn = pool.acquire().await.unwrap();
    let entries = audit::of(&mut conn, "order 7", 10).await.unwrap();
    entries.into_iter().map(|entry| entry.why).collect()
}

#[tokio::test]
async fn an_action_is_read_as_it_was_written_newest_first() {
    let pool = table().await;
    let (first, second) = (action("it is stuck"), action("it is stuck again"));
    let mut conn = pool.acquire().await.unwrap();
    audit::record(&mut conn, &first).await.unwrap();
    let id = audit::record(&mut conn, &second).await.unwrap();
    let other = Action { target: "order 8", ..first };
    audit::record(&mut conn, &other).await.unwrap();

    let entries = audit::of(&mut conn, "order 7", 10).await.unwrap();
    assert_eq!(entries.len(), 2, "{entries:?}");
    let newest = &entries[0];
    assert_eq!((newest.id, newest.actor), (id, second.actor));
    assert_eq!((newest.action.as_str(), newest.target.as_str()), (second.action, second.target));
    assert_eq!((newest.why.as_str(), newest.outcome.as_str()), (second.why, second.outcome));
    assert!(entries[1].at <= newest.at);
}

#[tokio::test]
async fn what_came_to_nothing_leaves_no_entry() {
    let pool = table().await;
    let mut tx = postgres::begin(&pool).await.unwrap();
    audit::record(&mut tx, &action("undone")).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(whys(&pool).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_entry_can_be_neither_changed_nor_removed() {
    let pool = table().await;
    audit::record(&mut pool.acquire().await.unwrap(), &action("it is stuck")).await.unwrap();
    for statement in [
        "update operator_actions set why = 'no idea'",
        "delete from operator_actions",
        "truncate operator_actions",
    ] {
        let refusal = sqlx::query(statement).execute(&pool).await.unwrap_err();
        let constraint = refusal.as_database_error().and_then(|e| e.constraint());
        assert_eq!(constraint, Some("operator_actions_append_only"), "{statement}: {refusal}");
    }
    assert_eq!(whys(&pool).await, ["it is stuck"]);
}

#[tokio::test]
async fn an_action_without_a_reason_is_not_written() {
    let pool = table().await;
    let mut conn = pool.acquire().await.unwrap();
    for why in ["", &"x".repeat(501)] {
        let refusal = audit::record(&mut conn, &action(why)).await.unwrap_err();
        let constraint = refusal.as_database_error().and_then(|e| e.constraint());
        assert_eq!(constraint, Some("operator_actions_why_given"));
    }
}

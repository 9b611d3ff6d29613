//! Transactions against a real database.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

/// A pool of one connection: whatever is left on it, the next one finds.
async fn one_connection(database: &testkit::TestDatabase) -> PgPool {
    let options = database.pool.connect_options();
    PgPoolOptions::new().max_connections(1).connect_with((*options).clone()).await.unwrap()
}

#[tokio::test]
async fn a_beginning_that_nobody_waits_for_leaves_no_transaction_behind() {
    let database = testkit::database(&[]).await;
    sqlx::query("create table written (number bigint)").execute(&database.pool).await.unwrap();
    let pool = one_connection(&database).await;
    for number in 0..200 {
        // Given up at another moment each time, many of them between request and answer.
        let moment = Duration::from_micros(number * 5);
        let _ = tokio::time::timeout(moment, postgres::begin(&pool)).await;
        let sql = "insert into written values ($1)";
        sqlx::query(sql).bind(number as i64).execute(&pool).await.unwrap();
        let seen: i64 = sqlx::query_scalar("select count(*) from written")
            .fetch_one(&database.pool)
            .await
            .unwrap();
        assert_eq!(seen, number as i64 + 1, "what was answered is seen by everybody");
    }
}

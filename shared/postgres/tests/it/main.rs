//! Transactions and migrations against a real database.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use postgres::{DatabaseConfig, Migrations};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, SqlStr};

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

/// A release's migrations: the first so many of two.
fn release(count: usize) -> Migrator {
    let all = [
        (1, "create table books (title text not null)"),
        (2, "alter table books add column pages integer"),
    ];
    let migration = |(version, sql): (i64, &'static str)| {
        Migration::new(version, "".into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    };
    let migrations: Vec<_> = all.into_iter().take(count).map(migration).collect();
    Migrator { migrations: migrations.into(), ..Migrator::DEFAULT }
}

fn expecting(database: &testkit::TestDatabase) -> DatabaseConfig {
    DatabaseConfig { database_migrations: Migrations::Expect, ..database.config() }
}

#[tokio::test]
async fn an_earlier_release_starts_on_a_later_schema() {
    let database = testkit::database(&[&release(2)]).await;
    postgres::migrate(&database.pool, &[&release(1)]).await.unwrap();
    let pool = postgres::open(&expecting(&database), Duration::ZERO, &[&release(1)]).await.unwrap();
    assert!(postgres::is_up(&pool).await);
}

#[tokio::test]
async fn a_later_release_waits_for_its_schema() {
    let database = testkit::database(&[&release(1)]).await;
    let config = expecting(&database);
    let starting = tokio::spawn(async move {
        postgres::open(&config, Duration::from_secs(30), &[&release(2)]).await
    });
    tokio::time::timeout(Duration::from_millis(50), async {
        while !starting.is_finished() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap_err();
    postgres::migrate(&database.pool, &[&release(2)]).await.unwrap();
    starting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_release_whose_schema_nobody_makes_does_not_start() {
    let database = testkit::database(&[&release(1)]).await;
    let error = postgres::open(&expecting(&database), Duration::ZERO, &[&release(2)]).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("migration 2 was not applied"), "{error}");
    let empty = testkit::database(&[]).await;
    let error = postgres::open(&expecting(&empty), Duration::ZERO, &[&release(1)]).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("migration 1 was not applied"), "{error}");
}

#[tokio::test]
async fn a_migration_that_was_edited_after_it_was_applied_is_noticed() {
    let database = testkit::database(&[&release(1)]).await;
    let sql = "update _sqlx_migrations set checksum = ''";
    sqlx::query(sql).execute(&database.pool).await.unwrap();
    let error = postgres::open(&expecting(&database), Duration::ZERO, &[&release(1)]).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("with another text"), "{error}");
}

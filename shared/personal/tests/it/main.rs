//! Tombstones on a real database.

#![allow(clippy::unwrap_used)]

use testkit::{TestDatabase, eventually};
use uuid::Uuid;

async fn database() -> TestDatabase {
    testkit::database(&[&personal::ERASED]).await
}

#[tokio::test]
async fn an_erasure_waits_for_those_who_write_and_those_who_write_later_find_the_tombstone() {
    let database = database().await;
    let user = Uuid::now_v7();
    let mut writing = postgres::begin(&database.pool).await.unwrap();
    personal::hold_off_erasure(&mut writing, user).await.unwrap();
    assert!(!personal::is_erased(&mut writing, user).await.unwrap());

    let pool = database.pool.clone();
    let erasing = tokio::spawn(async move {
        let mut tx = postgres::begin(&pool).await.unwrap();
        personal::begin_erasure(&mut tx, user).await.unwrap();
        tx.commit().await.unwrap();
    });
    eventually("the erasure waits", async || {
        sqlx::query_scalar::<_, bool>(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted
                 and database = (select oid from pg_database where datname = current_database()))",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap()
        .then_some(())
    })
    .await;
    assert!(!personal::is_erased(&mut writing, user).await.unwrap());
    writing.commit().await.unwrap();
    erasing.await.unwrap();

    let mut later = postgres::begin(&database.pool).await.unwrap();
    personal::hold_off_erasure(&mut later, user).await.unwrap();
    assert!(personal::is_erased(&mut later, user).await.unwrap());
    assert!(!personal::is_erased(&mut later, Uuid::now_v7()).await.unwrap());
}

#[tokio::test]
async fn those_who_write_about_a_user_do_not_wait_for_each_other() {
    let database = database().await;
    let user = Uuid::now_v7();
    let mut one = postgres::begin(&database.pool).await.unwrap();
    let mut other = postgres::begin(&database.pool).await.unwrap();
    personal::hold_off_erasure(&mut one, user).await.unwrap();
    personal::hold_off_erasure(&mut other, user).await.unwrap();
}

#[tokio::test]
async fn tombstones_go_after_thirty_days_and_erasing_twice_keeps_the_first() {
    let database = database().await;
    let (old, recent) = (Uuid::now_v7(), Uuid::now_v7());
    let mut conn = database.pool.acquire().await.unwrap();
    for user in [old, recent, old] {
        personal::begin_erasure(&mut conn, user).await.unwrap();
    }
    let age = "update erased_users set erased_at = now() - interval '31 days' where user_id = $1";
    sqlx::query(age).bind(old).execute(&mut *conn).await.unwrap();
    assert_eq!(personal::purge(&database.pool).await.unwrap(), 1);
    assert!(!personal::is_erased(&mut conn, old).await.unwrap());
    assert!(personal::is_erased(&mut conn, recent).await.unwrap());
}

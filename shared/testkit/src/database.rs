//! A PostgreSQL database of one test.

use postgres::DatabaseConfig;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use uuid::Uuid;

use crate::stores::setting;

/// A database that nobody else uses.
///
/// It stays until the stores are stopped: they belong to the test run.
pub struct TestDatabase {
    /// A small pool on it.
    pub pool: PgPool,
    /// Where it is.
    pub url: String,
}

impl TestDatabase {
    /// The settings of a service that uses it.
    pub fn config(&self) -> DatabaseConfig {
        let database_url = self.url.clone().into();
        DatabaseConfig { database_url, database_max_connections: 10 }
    }
}

/// Makes a database and brings its schema up to date.
pub async fn database(migrations: &[&Migrator]) -> TestDatabase {
    let server = setting("STOA_TEST_POSTGRES_URL");
    let server = server.trim_end_matches('/');
    let name = format!("test_{}", Uuid::now_v7().simple());
    let admin = PgPoolOptions::new()
        .max_connections(1)
        .connect(&format!("{server}/postgres"))
        .await
        .expect("PostgreSQL answers (STOA_TEST_POSTGRES_URL)");
    // The name is made here, of letters and digits only.
    let create = sqlx::AssertSqlSafe(format!("create database {name}"));
    sqlx::query(create).execute(&admin).await.expect("a new database");
    admin.close().await;
    let url = format!("{server}/{name}");
    let pool = PgPoolOptions::new().max_connections(5).connect(&url).await.expect("the database");
    postgres::migrate(&pool, migrations).await.expect("the migrations run");
    TestDatabase { pool, url }
}

//! A PostgreSQL database of one test.

use postgres::{DatabaseConfig, Migrations};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use uuid::Uuid;

use crate::stores::{afterwards, setting};

/// A database that nobody else uses. It goes when the test ends.
pub struct TestDatabase {
    /// A small pool on it.
    pub pool: PgPool,
    /// Where it is.
    pub url: String,
}

impl TestDatabase {
    /// Adds a column to every table, as a migration of the next release does to some
    /// while processes of this one run.
    pub async fn widen(&self) {
        let tables: Vec<String> = sqlx::query_scalar(
            "select format('%I', tablename) from pg_tables where schemaname = current_schema()",
        )
        .fetch_all(&self.pool)
        .await
        .expect("the tables");
        assert!(!tables.is_empty(), "there are no tables");
        for table in tables {
            // The server quoted the name.
            let statement = format!("alter table {table} add column of_the_next_release text");
            sqlx::query(AssertSqlSafe(statement)).execute(&self.pool).await.expect(&table);
        }
    }

    /// The settings of a service that uses it.
    pub fn config(&self) -> DatabaseConfig {
        let database_url = self.url.clone().into();
        DatabaseConfig {
            database_url,
            database_max_connections: 10,
            database_migrations: Migrations::Apply,
        }
    }
}

/// Makes a database and brings its schema up to date.
pub async fn database(migrations: &[&Migrator]) -> TestDatabase {
    let server = setting("STOA_TEST_POSTGRES_URL");
    let server = server.trim_end_matches('/');
    let name = format!("test_{}", Uuid::now_v7().simple());
    let admin = format!("{server}/postgres");
    // The name is made here, of letters and digits only.
    execute(&admin, format!("create database {name}"))
        .await
        .expect("a new database (STOA_TEST_POSTGRES_URL)");
    let drop = format!("drop database if exists {name} with (force)");
    afterwards(async move {
        // A server that is gone has no databases either.
        let _ = execute(&admin, drop).await;
    });
    let url = format!("{server}/{name}");
    let pool = PgPoolOptions::new().max_connections(5).connect(&url).await.expect("the database");
    postgres::migrate(&pool, migrations).await.expect("the migrations run");
    TestDatabase { pool, url }
}

async fn execute(url: &str, statement: String) -> Result<(), sqlx::Error> {
    let mut conn = PgConnection::connect(url).await?;
    sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await?;
    conn.close().await
}

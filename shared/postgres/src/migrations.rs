//! Who brings the schema up to date, and who waits for it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use sqlx::PgPool;
use sqlx::migrate::{Migration, Migrator};

use crate::{DatabaseConfig, connect};

/// What a process does about the schema when it starts.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Migrations {
    /// Brings it up to date, and goes on. Processes that start together take turns.
    #[default]
    Apply,
    /// Brings it up to date, and ends: the job before a new release.
    Only,
    /// Waits until somebody else has done so, and fails when nobody does in time.
    Expect,
}

/// Opens the pool on a schema that holds at least what this build knows.
///
/// Does not return where only the schema is asked for.
pub async fn open(
    config: &DatabaseConfig,
    deadline: Duration,
    parts: &[&Migrator],
) -> Result<PgPool> {
    let pool = connect(config, deadline).await?;
    match config.database_migrations {
        Migrations::Apply => migrate(&pool, parts).await?,
        Migrations::Only => {
            migrate(&pool, parts).await?;
            tracing::info!("the database schema is up to date; nothing else was asked for");
            // Nothing has begun that would have to be finished.
            std::process::exit(0);
        }
        Migrations::Expect => expect(&pool, deadline, parts).await?,
    }
    Ok(pool)
}

/// Brings the schema up to date: the service's own migrations and those of the
/// shared tables it uses, told apart by their version numbers.
///
/// Migrations that this build does not know are those of a later release: whoever rolls
/// back finds them, and they must not be in the way.
pub async fn migrate(pool: &PgPool, parts: &[&Migrator]) -> Result<()> {
    let whole =
        Migrator { migrations: in_order(parts).into(), ignore_missing: true, ..Migrator::DEFAULT };
    whole.run(pool).await.context("the database schema cannot be brought up to date")
}

/// Waits until everything that this build knows is there.
async fn expect(pool: &PgPool, deadline: Duration, parts: &[&Migrator]) -> Result<()> {
    let wanted = in_order(parts);
    let started = Instant::now();
    loop {
        let applied = applied(pool).await?;
        let mut missing = Vec::new();
        for migration in &wanted {
            match applied.get(&migration.version) {
                Some(checksum) => ensure!(
                    checksum.as_slice() == migration.checksum.as_ref(),
                    "migration {} was applied, but with another text",
                    migration.version
                ),
                None => missing.push(migration.version),
            }
        }
        let Some(first) = missing.first() else { return Ok(()) };
        if started.elapsed() >= deadline {
            bail!(
                "the database schema is behind: migration {first} was not applied within {deadline:?}"
            );
        }
        tracing::warn!(db.migration = first, "the database schema is behind; waiting for it");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Versions and checksums of what was applied; none where nothing ever was.
async fn applied(pool: &PgPool) -> Result<HashMap<i64, Vec<u8>>> {
    let exists: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(pool)
        .await?;
    if !exists {
        return Ok(HashMap::new());
    }
    let sql = "select version, checksum from _sqlx_migrations where success";
    let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(sql).fetch_all(pool).await?;
    Ok(rows.into_iter().collect())
}

fn in_order(parts: &[&Migrator]) -> Vec<Migration> {
    let mut migrations: Vec<_> = parts.iter().flat_map(|m| m.iter().cloned()).collect();
    migrations.sort_by_key(|m| m.version);
    migrations
}

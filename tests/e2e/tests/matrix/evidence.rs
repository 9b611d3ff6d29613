//! Evidence that something had no effect: everything that the services keep.

use std::collections::BTreeMap;

use contract::{Contract, Store};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::platform::{Platform, eventually};
use e2e::world::World;

/// Per table a digest of all rows, per customer the cart.
pub type Evidence = BTreeMap<String, String>;

/// What is kept once nothing moves any more.
pub async fn at_rest(platform: &Platform, contract: &Contract, world: &World) -> Evidence {
    let mut last = Evidence::new();
    eventually("nothing changes while nobody calls", async || {
        // Counted first: one that ends while the tables are read would leave its
        // last write out of them.
        let none_runs = sagas_running(platform).await == 0;
        let now = taken(platform, contract, world).await;
        let rests = none_runs && now == last;
        last = now;
        if !rests {
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        }
        rests.then_some(())
    })
    .await;
    last
}

/// A saga whose holder died moves on when its lease is over, some seconds later.
async fn sagas_running(platform: &Platform) -> i64 {
    let url = platform.stack.postgres_url("orders").unwrap();
    let mut database = PgConnection::connect(&url).await.unwrap();
    let sql = "select count(*) from sagas where status = 'running'";
    sqlx::query_scalar(sql).fetch_one(&mut database).await.unwrap()
}

async fn taken(platform: &Platform, contract: &Contract, world: &World) -> Evidence {
    let mut evidence = Evidence::new();
    for workload in contract.workloads() {
        let service = contract.service_of(&workload).unwrap();
        if service.needs.stores.contains(&Store::Postgres) {
            let url = platform.stack.postgres_url(&workload).unwrap();
            tables(&workload, &url, &mut evidence).await;
        }
    }
    let people = &world.people;
    for (name, token) in [("customer", &people.customer), ("other customer", &people.other)] {
        let cart = platform.anonymous().with_token(token).get("/v1/cart").await;
        evidence.insert(format!("cart of {name}"), cart.text);
    }
    evidence
}

async fn tables(workload: &str, url: &str, evidence: &mut Evidence) {
    let mut database = PgConnection::connect(url).await.unwrap();
    let sql = "select table_name::text from information_schema.tables
               where table_schema = 'public' and table_type = 'BASE TABLE'";
    let names: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut database).await.unwrap();
    for name in names {
        let sql = format!(
            "select count(*) || ' rows ' || md5(coalesce(string_agg(t::text, ' ' order by t::text), ''))
             from \"{name}\" t"
        );
        let digest: String =
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut database).await.unwrap();
        evidence.insert(format!("{workload}.{name}"), digest);
    }
}

/// What differs, by name.
pub fn difference(before: &Evidence, after: &Evidence) -> Vec<String> {
    let names = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changed
        .map(|name| format!("{name}: {:?} became {:?}", before.get(name), after.get(name)))
        .collect()
}

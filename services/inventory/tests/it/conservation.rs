//! Whatever happens and in whatever order, no piece is lost or made up.

use futures::future::join_all;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use testkit::reason;
use uuid::Uuid;

use crate::world::World;

/// Steps of each of those who act at once.
const STEPS: usize = 40;
const ACTORS: u64 = 6;

/// Every refusal that is one of the rules.
const RULES: [&str; 3] = ["STOCK_INSUFFICIENT", "RESERVATION_CLOSED", "RESERVATION_NOT_FOUND"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_are_conserved_over_random_histories() {
    for seed in [1, 20_26, 0xC0FFEE] {
        let world = World::with_sweeps_every(1).await;
        let mut rng = StdRng::seed_from_u64(seed);
        let mut products = Vec::new();
        for _ in 0..4 {
            products.push(world.stocked(rng.random_range(5..40)).await);
        }
        let orders: Vec<_> = (0..30).map(|_| Uuid::now_v7()).collect();
        let actors = (0..ACTORS).map(|n| act(&world, seed * 100 + n, &products, &orders));
        join_all(actors).await;
        assert_conserved(&world, seed).await;
    }
}

async fn act(world: &World, seed: u64, products: &[Uuid], orders: &[Uuid]) {
    let mut rng = StdRng::seed_from_u64(seed);
    for _ in 0..STEPS {
        let order = *orders.choose(&mut rng).unwrap();
        let done = match rng.random_range(0..10) {
            0..5 => {
                let lines: Vec<_> = (0..rng.random_range(1..5))
                    .map(|_| (*products.choose(&mut rng).unwrap(), rng.random_range(1..4)))
                    .collect();
                let ttl = if rng.random_bool(0.3) { 1 } else { 600 };
                world.reserve_for(order, &lines, ttl).await.map(drop)
            }
            5..7 => world.commit(order).await,
            7..9 => world.release(order).await,
            _ => {
                let product = *products.choose(&mut rng).unwrap();
                let delta = *[-3, -1, 1, 4].choose(&mut rng).unwrap();
                world.adjust(product, delta).await.map(drop)
            }
        };
        if let Err(refused) = done {
            assert!(RULES.contains(&reason(&refused).as_str()), "seed {seed}: {refused}");
        }
    }
}

/// What was ever delivered is available, reserved by held orders, or sold. One
/// statement sees one moment, also while the sweeper runs.
async fn assert_conserved(world: &World, seed: u64) {
    let rows: Vec<(i64, i64, i64, i64, i64)> = sqlx::query_as(
        "select s.available, s.reserved,
                coalesce(sum(l.quantity) filter (where r.state = 'held'), 0)::bigint,
                coalesce(sum(l.quantity) filter (where r.state = 'committed'), 0)::bigint,
                (select sum(delta) from adjustments a where a.product_id = s.product_id)::bigint
         from stock s
         left join reservation_lines l using (product_id)
         left join reservations r using (order_id)
         group by s.product_id, s.available, s.reserved",
    )
    .fetch_all(&world.database.pool)
    .await
    .unwrap();
    assert_eq!(rows.len(), 4);
    for (available, reserved, held, sold, delivered) in rows {
        assert_eq!(reserved, held, "seed {seed}");
        assert_eq!(available + reserved + sold, delivered, "seed {seed}");
    }
}

#[tokio::test]
async fn no_statement_whatever_makes_stock_negative() {
    let world = World::start().await;
    let product = world.stocked(3).await;
    world.reserve(Uuid::now_v7(), &[(product, 2)]).await.unwrap();
    let available = "update stock set available = available - 2 where product_id = $1";
    let reserved = "update stock set reserved = reserved - 3 where product_id = $1";
    for (change, constraint) in
        [(available, "stock_available_not_negative"), (reserved, "stock_reserved_not_negative")]
    {
        let changed = sqlx::query(change).bind(product).execute(&world.database.pool).await;
        let refused = changed.unwrap_err();
        let broken = refused.as_database_error().and_then(|error| error.constraint());
        assert_eq!(broken, Some(constraint), "{refused}");
    }
    assert_eq!(world.level(product).await, (1, 2));
}

//! What nobody asks for: waking, measuring, and forgetting what is old.

use metrics_exporter_prometheus::PrometheusBuilder;
use prost::Message as _;
use sqlx::postgres::PgListener;
use testkit::eventually;
use uuid::Uuid;

use crate::world::{Failing, TOPIC, World, broker_at, fact, pair};

/// Nobody is there.
const NOWHERE: &str = "amqp://guest:guest@127.0.0.1:1/none";

/// Waits until the relay has gone to sleep: it holds the lock that reads "stoaslee".
async fn until_asleep(world: &World) {
    let asleep = "select exists (
        select from pg_locks join pg_database on pg_locks.database = pg_database.oid
        where datname = current_database() and locktype = 'advisory' and mode = 'ExclusiveLock'
            and granted and classid::bigint = $1 and objid::bigint = $2)";
    eventually("the relay sleeps", async || {
        let asleep = sqlx::query_scalar(asleep)
            .bind(i64::from(u32::from_be_bytes(*b"stoa")))
            .bind(i64::from(u32::from_be_bytes(*b"slee")));
        asleep.fetch_one(world.pool()).await.unwrap_or(false).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_commit_wakes_a_relay_that_sleeps() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    let mut listener = PgListener::connect_with(world.pool()).await.unwrap();
    listener.listen("outbox").await.unwrap();
    until_asleep(&world).await;
    world.publish("o-1", "declined").await;
    listener.recv().await.expect("the relay is called");
    assert_eq!(world.until_effects(1).await, [pair("o-1", "declined")]);
}

#[tokio::test]
async fn a_relay_that_nobody_wakes_looks_by_itself() {
    let world = World::new().await;
    let (_relay, _consumer) = (world.relay(), world.consumer(&Failing::default()));
    until_asleep(&world).await;
    // Without a word to anybody, as where a notification is lost.
    sqlx::query(
        "insert into outbox (id, topic, key, schema, payload)
         values ($1, $2, 'o-1', 'stoa.orders.v1.OrderFailed', $3)",
    )
    .bind(Uuid::now_v7())
    .bind(TOPIC)
    .bind(fact("o-1", "declined").encode_to_vec())
    .execute(world.pool())
    .await
    .unwrap();
    assert_eq!(world.until_effects(1).await, [pair("o-1", "declined")]);
    world.until_all_sent().await;
}

/// Ages a fact by so many days; it was sent soon after, or waits since.
async fn age(world: &World, id: Uuid, days: i32, sent: bool) {
    sqlx::query(
        "update outbox set created_at = now() - make_interval(days => $2),
             sent_at = case when $3 then now() - make_interval(days => $2) end
         where id = $1",
    )
    .bind(id)
    .bind(days)
    .bind(sent)
    .execute(world.pool())
    .await
    .unwrap();
}

#[tokio::test]
async fn facts_that_were_sent_days_ago_are_deleted_and_what_waits_never() {
    let world = World::new().await;
    let [old, recent, late, waiting] = [
        world.publish("o-1", "old").await,
        world.publish("o-2", "recent").await,
        world.publish("o-3", "sent a moment ago after a long outage").await,
        world.publish("o-4", "waiting").await,
    ];
    age(&world, old, 2, true).await;
    age(&world, recent, 0, true).await;
    age(&world, late, 30, true).await;
    sqlx::query("update outbox set sent_at = now() where id = $1")
        .bind(late)
        .execute(world.pool())
        .await
        .unwrap();
    age(&world, waiting, 30, false).await;
    let _relay = world.relay_at(broker_at(NOWHERE));
    let kept = async || {
        let ids = sqlx::query_scalar("select id from outbox order by position");
        ids.fetch_all(world.pool()).await.unwrap()
    };
    eventually("the old one is gone", async || (!kept().await.contains(&old)).then_some(())).await;
    assert_eq!(kept().await, [recent, late, waiting]);
}

#[tokio::test]
async fn what_was_applied_a_month_ago_is_forgotten() {
    let world = World::new().await;
    let [old, recent] = [Uuid::now_v7(), Uuid::now_v7()];
    for (event, days) in [(old, 31), (recent, 29)] {
        sqlx::query(
            "insert into inbox (consumer, event_id, received_at)
             values ('notifications', $1, now() - make_interval(days => $2))",
        )
        .bind(event)
        .bind(days)
        .execute(world.pool())
        .await
        .unwrap();
    }
    let _consumer = world.consumer(&Failing::default());
    let kept: Vec<Uuid> = eventually("the old one is gone", async || {
        let kept = sqlx::query_scalar("select event_id from inbox").fetch_all(world.pool()).await;
        kept.ok().filter(|kept| !kept.contains(&old))
    })
    .await;
    assert_eq!(kept, [recent]);
}

#[tokio::test]
async fn how_much_waits_for_how_long_is_measured_while_the_broker_is_away() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let measured = recorder.handle();
    // All that a test does happens on one thread.
    let _recording = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let first = world.publish("o-1", "waits").await;
    world.publish("o-2", "waits").await;
    age(&world, first, 1, false).await;
    let _relay = world.relay_at(broker_at(NOWHERE));
    let gauge = |name: &str| -> Option<f64> {
        let text = measured.render();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    };
    let (unsent, age) = eventually("a measurement", async || {
        Some((gauge("outbox_unsent ")?, gauge("outbox_oldest_age_seconds ")?))
    })
    .await;
    assert_eq!(unsent, 2.0);
    assert!((86_400.0..90_000.0).contains(&age), "{age} s");
    assert_eq!(gauge("outbox_relay_lead "), Some(0.0), "nothing is relayed");
}

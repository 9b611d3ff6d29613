//! The watched stack that all tests share, and what happens on it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use e2e::client::{Client, Customer};
use e2e::platform::Platform;
use observability::Prometheus;
use serde_json::json;
use stack::Options;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static WATCHED: OnceCell<Watched> = OnceCell::const_new();

/// How often the prober travels here, in seconds.
const EVERY: &str = "10";

/// A platform, who watches it, and what customers did on it.
pub struct Watched {
    pub platform: Platform,
    pub prometheus: Prometheus,
    pub done: Done,
}

/// What customers did, in orders and cents.
#[derive(Debug, Default, Clone, Copy)]
pub struct Done {
    pub confirmed: u32,
    pub declined: u32,
    pub cancelled: u32,
    pub stock_outs: u32,
    pub registered: u32,
    pub taken: i64,
    pub given_back: i64,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs a test on the shared platform, after customers were there.
pub fn with_watched<F>(test: impl FnOnce(&'static Watched) -> F)
where
    F: Future<Output = ()>,
{
    RUNTIME.block_on(async { test(WATCHED.get_or_init(start).await).await });
}

/// A watched stack of that name.
pub fn options(name: &str) -> Options {
    let mut options = Options::private(&root(), name).unwrap();
    options.observe = true;
    let often = ["prober", "PROBE_EVERY_SECONDS", EVERY].map(str::to_owned);
    options.settings.push(often.into());
    options
}

async fn start() -> Watched {
    let platform = Platform::start(options("observability")).await;
    let prometheus = Prometheus::at(&platform.stack.prometheus_url());
    let done = customers(&platform).await;
    // What rules and rates need: two looks after the last customer, and one round of rules.
    let round = "min(prometheus_rule_group_last_evaluation_timestamp_seconds)";
    let now = seconds_now();
    within(
        Duration::from_secs(150),
        "every rule was evaluated after the customers came",
        async || prometheus.value(round).await.is_some_and(|last| last > now + 15.0),
    )
    .await;
    within(Duration::from_secs(60), "a journey worked", async || {
        prometheus.value("prober_journey_success").await == Some(1.0)
    })
    .await;
    Watched { platform, prometheus, done }
}

/// Sales, refusals, a cancellation and a refund, one after the other; some are spread
/// over time, so that there is something to see a rate of.
async fn customers(platform: &Platform) -> Done {
    let mut done = Done::default();
    let kettle = platform.admin.product(1_250, 500).await;
    let (rare, customer) =
        (platform.admin.product(900, 1).await, register(platform, &mut done).await);
    // Prometheus looks every five seconds: the first look has to see the beginning.
    let metrics = Prometheus::at(&platform.stack.prometheus_url());
    within(Duration::from_secs(30), "Prometheus has seen orders before the first", async || {
        metrics.value("count(stoa_orders_total)").await == Some(4.0)
    })
    .await;

    for _ in 0..4 {
        let order = buy(&customer, &kettle, "tok_visa").await;
        assert_eq!(order["state"], "ORDER_STATE_CONFIRMED", "{order}");
        done.confirmed += 1;
        done.taken += 1_250;
    }
    // A cancellation gives all of it back, a manager a part.
    let order = buy(&customer, &kettle, "tok_visa").await;
    captured(&customer, &order).await;
    let id = order["order_id"].as_str().unwrap();
    customer.client.post(&format!("/v1/orders/{id}:cancel"), json!({})).await.ok();
    done = Done {
        confirmed: done.confirmed + 1,
        cancelled: 1,
        taken: done.taken + 1_250,
        given_back: 1_250,
        ..done
    };
    let order = buy(&customer, &kettle, "tok_visa").await;
    let payment = captured(&customer, &order).await;
    let part = json!({"amount": {"currency_code": "EUR", "units": "2", "nanos": 0}, "reason": "a scratch"});
    platform.admin.client.post_once(&format!("/v1/payments/{payment}:refund"), part).await.ok();
    done = Done {
        confirmed: done.confirmed + 1,
        taken: done.taken + 1_250,
        given_back: done.given_back + 200,
        ..done
    };

    let other = register(platform, &mut done).await;
    let order = buy(&other, &kettle, "tok_declined").await;
    assert_eq!(order["state"], "ORDER_STATE_FAILED", "{order}");
    done.declined += 1;
    // Two want the last one: nobody can say which of two pieces there is one of.
    other.client.delete("/v1/cart").await.ok();
    other.put_in_cart(&rare, 2).await;
    let order = other.order("tok_visa").await.ok();
    assert_eq!(order["state"], "ORDER_STATE_FAILED", "{order}");
    done.stock_outs += 1;
    // Refused at the door: a token that is none, a field that there is not.
    let stranger = platform.anonymous().with_token("not.a.token");
    assert_eq!(stranger.get("/v1/cart").await.status, 401);
    let odd: Client = platform.anonymous();
    assert_eq!(odd.post("/v1/auth/login", json!({"emial": "a"})).await.status, 400);
    done
}

async fn register(platform: &Platform, done: &mut Done) -> Customer {
    done.registered += 1;
    platform.anonymous().register().await
}

async fn buy(customer: &Customer, product: &str, token: &str) -> serde_json::Value {
    customer.put_in_cart(product, 1).await;
    customer.order(token).await.ok()
}

/// Waits until the order's money is taken; answers the payment.
async fn captured(customer: &Customer, order: &serde_json::Value) -> String {
    let payment = order["payment_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/payments/{payment}");
    within(Duration::from_secs(30), "the payment is captured", async || {
        customer.client.get(&path).await.ok()["state"] == "PAYMENT_STATE_CAPTURED"
    })
    .await;
    payment
}

pub fn seconds_now() -> f64 {
    types::now().unix_timestamp() as f64
}

/// Waits until `holds`, and fails naming what was expected.
pub async fn within(limit: Duration, expected: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !holds().await {
        let seconds = limit.as_secs();
        assert!(Instant::now() < deadline, "expected within {seconds} s: {expected}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

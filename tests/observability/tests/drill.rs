//! A drill: the broker is away for two minutes while customers buy. Prints who noticed what
//! and when; docs/operations/drills.md tells of one.
//!
//! Run it alone: `cargo test --package observability drill -- --ignored --nocapture`

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use e2e::client::Customer;
use e2e::platform::Platform;
use observability::Prometheus;
use serde_json::Value;

use crate::platform::{options, within};

type Told = Arc<Mutex<Vec<(Instant, String)>>>;

/// Whoever is woken: takes note of each alert.
async fn pager() -> (String, Told) {
    let told = Told::default();
    let note = async |State(told): State<Told>, body: String| {
        let message: Value = serde_json::from_str(&body).unwrap();
        for alert in message["alerts"].as_array().unwrap() {
            let (labels, status) = (&alert["labels"], alert["status"].as_str().unwrap());
            let job = labels["job"].as_str().or(labels["workload"].as_str()).unwrap_or_default();
            let line = format!(
                "{} {} {job} {status} {}",
                message["receiver"].as_str().unwrap(),
                labels["alertname"].as_str().unwrap(),
                alert["annotations"]["runbook"].as_str().unwrap_or_default(),
            );
            told.lock().unwrap().push((Instant::now(), line));
        }
    };
    let router = Router::new().route("/", post(note)).with_state(told.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, told)
}

/// Buys again and again; answers how many orders were confirmed and how many not.
async fn buys(customer: Customer, product: String, until: Instant) -> (u32, u32) {
    let (mut confirmed, mut others) = (0, 0);
    while Instant::now() < until {
        customer.put_in_cart(&product, 1).await;
        let order = customer.order("tok_visa").await;
        let good = order.status.is_success() && order.body["state"] == "ORDER_STATE_CONFIRMED";
        if good {
            confirmed += 1
        } else {
            others += 1
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    (confirmed, others)
}

async fn states(prometheus: &Prometheus) -> BTreeSet<String> {
    let alerts = prometheus.query("ALERTS").await.unwrap_or_default();
    let text = |labels: &Value, name: &str| labels[name].as_str().unwrap_or_default().to_owned();
    alerts
        .iter()
        .map(|(labels, _)| {
            let job = labels["job"].as_str().or(labels["workload"].as_str());
            let of = job.unwrap_or_default();
            format!("{} {} {of}", text(labels, "alertstate"), text(labels, "alertname"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes eight minutes; run it by its name"]
async fn somebody_is_woken_when_the_broker_is_away_for_two_minutes() {
    let (pager, told) = pager().await;
    let mut options = options("drill");
    // As in production.
    options.settings.retain(|(_, name, _)| name != "PROBE_EVERY_SECONDS");
    for name in ["PAGE_URL", "TICKET_URL"] {
        options.settings.push(["alertmanager", name, &pager].map(str::to_owned).into());
    }
    let platform = Platform::start(options).await;
    let prometheus = Prometheus::at(&platform.stack.prometheus_url());
    let product = platform.admin.product(1_250, 100_000).await;
    let customer = platform.anonymous().register().await;
    within(Duration::from_secs(300), "all is well", async || {
        let well = prometheus.value("prober_journey_success").await == Some(1.0);
        well && states(&prometheus).await.is_empty()
    })
    .await;

    let load = tokio::spawn(buys(customer, product, Instant::now() + Duration::from_secs(330)));
    tokio::time::sleep(Duration::from_secs(30)).await;
    let began = Instant::now();
    let at = |moment: Instant| moment.saturating_duration_since(began).as_secs();
    platform.stack.kill("rabbitmq").unwrap();
    println!("  0 s  the broker is stopped");
    let (mut seen, mut back) = (BTreeSet::new(), false);
    while began.elapsed() < Duration::from_secs(300) {
        if !back && began.elapsed() >= Duration::from_secs(120) {
            platform.stack.restart("rabbitmq").unwrap();
            back = true;
            println!("{:3} s  the broker is started again", at(Instant::now()));
        }
        let now = states(&prometheus).await;
        for state in now.difference(&seen) {
            println!("{:3} s  {state}", at(Instant::now()));
        }
        for state in seen.difference(&now) {
            println!("{:3} s  no more: {state}", at(Instant::now()));
        }
        seen = now;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (confirmed, others) = load.await.unwrap();
    println!("       {confirmed} orders were confirmed, {others} were not");
    for (what, query) in [
        ("MB of Prometheus", r#"process_resident_memory_bytes{job="prometheus"} / 1048576"#),
        (
            "processors used by Prometheus",
            r#"rate(process_cpu_seconds_total{job="prometheus"}[5m])"#,
        ),
        ("MB of Alertmanager", r#"process_resident_memory_bytes{job="alertmanager"} / 1048576"#),
        ("series", "prometheus_tsdb_head_series"),
        ("samples a second", "rate(prometheus_tsdb_head_samples_appended_total[2m])"),
    ] {
        println!("       {what}: {:.3}", prometheus.value(query).await.unwrap_or(f64::NAN));
    }
    let told = told.lock().unwrap().clone();
    for (moment, line) in &told {
        println!("{:3} s  told: {line}", at(*moment));
    }
    let woken = told.iter().find(|(_, line)| line.starts_with("page BrokerUnreachable"));
    let (moment, line) = woken.expect("somebody is woken");
    assert!(at(*moment) < 120, "woken after {} s", at(*moment));
    assert!(line.contains("docs/operations/runbooks/facts.md#brokerunreachable"), "{line}");
    assert_eq!(others, 0, "orders are taken without the broker");
}

//! A request is one trace, from the edge through every service, the outbox, the broker
//! and the consumers to the mail server.

mod tree;

use std::path::Path;

use stack::Options;
use tokio::runtime::Runtime;

use crate::collector::{Collector, Span};
use crate::platform::{Platform, eventually, with_platform};
use tree::tree;

/// What a checkout that succeeds does, statements left out: who is inside whom. Made by
/// hand from what `docs/architecture.md` says; siblings in the order of the alphabet.
const CHECKOUT: &str = include_str!("trace/checkout.txt");

#[test]
fn a_checkout_is_one_trace_from_the_edge_to_the_mail_server() {
    Runtime::new().unwrap().block_on(async {
        let (collector, address) = Collector::start().await;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let mut options = Options::private(&root, "trace").unwrap();
        options.collector = Some(address);
        let platform = Platform::start(options).await;
        let product = platform.admin.product(1_250, 20).await;
        let customer = platform.anonymous().register().await;
        customer.put_in_cart(&product, 1).await;
        let order = customer.order("tok_visa").await.ok();
        assert_eq!(order["state"], "ORDER_STATE_CONFIRMED", "{order}");

        let trace = eventually("the edge's span of the checkout", async || {
            let spans = collector.all();
            let first = spans.iter().find(|span| span.name.ends_with("OrderService/PlaceOrder"))?;
            Some(first.trace_id.clone())
        })
        .await;
        let seen = eventually_equal(&collector, &trace).await;
        assert_eq!(seen, CHECKOUT, "the spans of trace {trace} are not those of {}", file!());

        let spans = spans_of(&collector, &trace);
        statements_say_what_they_do_and_not_of_whom(&spans, &[&product, &customer.email]);
        logs_say_whose_request_they_are_about(&platform, &trace).await;
    });
}

#[test]
fn what_is_logged_is_changed_while_a_process_runs() {
    with_platform(async |platform| {
        let customer = platform.anonymous().register().await;
        let port = platform.stack.options().ports.admin("orders");
        let (url, http) = (format!("http://127.0.0.1:{port}/log-filter"), reqwest::Client::new());
        let put = async |filter: &str| {
            http.put(&url).body(filter.to_owned()).send().await.unwrap().status().as_u16()
        };
        let before = http.get(&url).send().await.unwrap().text().await.unwrap();
        assert_eq!(put("orders=loud").await, 400, "there is no such level");
        assert_eq!(http.get(&url).send().await.unwrap().text().await.unwrap(), before);
        assert_eq!(put("info,grpc=debug").await, 200);
        customer.client.get("/v1/orders").await.ok();
        eventually("a line below INFO in the log of orders", async || {
            let log = std::fs::read_to_string(platform.stack.log_of("orders")).unwrap();
            let served = |line: &str| line.contains("\"served\"") && line.contains("ListOrders");
            log.lines().any(served).then_some(())
        })
        .await;
        assert_eq!(put(&before).await, 200);
    });
}

/// The tree as soon as it is whole, or what is there when time is up.
async fn eventually_equal(collector: &Collector, trace: &str) -> String {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let seen = tree(&spans_of(collector, trace));
        if seen == CHECKOUT || std::time::Instant::now() > deadline {
            return seen;
        }
        collector.more().await;
    }
}

fn spans_of(collector: &Collector, trace: &str) -> Vec<Span> {
    collector.all().into_iter().filter(|span| span.trace_id == trace).collect()
}

fn statements_say_what_they_do_and_not_of_whom(spans: &[Span], values: &[&str]) {
    for service in ["orders", "inventory", "payments", "notifications"] {
        let statements = spans.iter().filter(|span| span.service == service);
        let texts: Vec<&str> =
            statements.filter_map(|span| span.attribute("db.query.text")).collect();
        assert!(!texts.is_empty(), "{service} asked its database nothing");
        for text in &texts {
            assert!(!values.iter().any(|value| text.contains(value)), "{service}: {text}");
        }
        let bound = texts.iter().filter(|text| text.contains("$1")).count();
        assert!(bound > 0, "{service} binds no values: {texts:?}");
    }
}

async fn logs_say_whose_request_they_are_about(platform: &Platform, trace: &str) {
    let line = async |process: &str, text: &str| {
        let path = platform.stack.log_of(process);
        // Envoy writes its log down from time to time.
        eventually(&format!("a line of {trace} with {text:?} in {path:?}"), async || {
            let log = std::fs::read_to_string(&path).unwrap();
            let found = log.lines().find(|line| line.contains(trace) && line.contains(text))?;
            serde_json::from_str::<serde_json::Value>(found).ok()
        })
        .await
    };
    let ended = line("orders", "saga ended").await;
    assert_eq!(ended["trace_id"], *trace, "{ended}");
    assert_eq!(ended["span_id"].as_str().map(str::len), Some(16), "{ended}");
    let came = line("access", "/v1/orders").await;
    assert_eq!(came["trace_id"], *trace, "{came}");
}

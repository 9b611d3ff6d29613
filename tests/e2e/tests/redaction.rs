//! Secret and personal fields never reach a log or a trace: every such field of the
//! contract gets a value of its own in every request, valid and not, and then all
//! that the running system wrote is searched, at its most talkative.

mod mailbox;
mod needles;
mod traffic;

use std::net::SocketAddrV4;
use std::path::Path;

use contract::is_sensitive;
use stack::Options;
use tokio::runtime::Runtime;

use crate::collector::Collector;
use crate::parity::CONTRACT;
use crate::platform::{Platform, eventually};
use needles::{Needles, files_below};
use traffic::Traffic;

/// Processes of ours.
const PROCESSES: [&str; 9] = [
    "identity",
    "catalog",
    "inventory",
    "cart",
    "orders",
    "payments",
    "notifications",
    "sandbox",
    "guard",
];

/// More than anybody would turn on: everything of our own and of our libraries.
const TALKATIVE: &str = "trace";

#[test]
fn secret_and_personal_fields_are_in_no_log_and_no_trace() {
    Runtime::new().unwrap().block_on(async {
        let (collector, address) = Collector::start().await;
        let mut options = options(address);
        let mailbox = mailbox::start(options.state.join("mail/new")).await;
        let mail = ["notifications", "SMTP_URL", &mailbox].map(str::to_owned);
        options.settings.push(mail.into());
        let platform = Platform::start(options).await;
        let mut traffic = Traffic::new(&platform);
        traffic.journey().await;
        traffic.every_method().await;
        let Traffic { needles, sent, product, .. } = traffic;
        every_field_was_sent(&sent);
        // Given up, and written down as such: the refusal of the mail server is known.
        let state = platform.stack.layout().state().to_owned();
        eventually("spans of every service", async || {
            let spans = collector.spans();
            let of =
                |workload: &str| spans.iter().any(|s| s.contains(&format!("stoa.{workload}.v1")));
            CONTRACT.workloads().iter().all(|w| of(w)).then_some(())
        })
        .await;
        let needles = with_secrets(needles, &platform);
        platform.stack.stop();
        search(&state, &collector, &needles, &product);
    });
}

fn options(collector: SocketAddrV4) -> Options {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut options = Options::private(&root, "redaction").unwrap();
    options.collector = Some(collector);
    for process in PROCESSES {
        let talkative = [process, "RUST_LOG", TALKATIVE].map(str::to_owned);
        options.settings.push(talkative.into());
    }
    options
}

/// A field that is marked and in no request of the edge would be tried by nobody.
fn every_field_was_sent(sent: &std::collections::BTreeSet<String>) {
    for (_, method) in CONTRACT.external() {
        for (name, field) in traffic::sensitive_fields(&method.descriptor.input()) {
            assert!(is_sensitive(&field).unwrap());
            assert!(sent.contains(&name), "{name} of {} was never sent", method.path);
        }
    }
    println!("redaction: {} fields of requests carried values of their own", sent.len());
}

/// The platform's own passwords and keys are nobody's to see either.
fn with_secrets(mut needles: Needles, platform: &Platform) -> Needles {
    for (path, contents) in files_below(&platform.stack.layout().path("secrets")) {
        let secret = String::from_utf8(contents).unwrap();
        needles.add(&path, secret.trim());
    }
    needles
}

fn search(state: &Path, collector: &Collector, needles: &Needles, product: &str) {
    let mut places: Vec<(String, Vec<u8>)> = files_below(&state.join("log"));
    // Whether a search would find anything: what may be logged, is there.
    let text = |name: &str| {
        let place = places.iter().find(|(path, _)| path.ends_with(name));
        String::from_utf8_lossy(&place.unwrap_or_else(|| panic!("no {name}")).1).into_owned()
    };
    assert!(text("/access.log").contains(&format!("/v1/products/{product}")), "the access log");
    for workload in CONTRACT.workloads() {
        assert!(text(&format!("/{workload}.log")).contains("\"level\":\"TRACE\""), "{workload}");
    }
    assert!(text("/identity.log").contains("stoa.identity.v1.IdentityService/Register"));
    let spans = collector.spans();
    assert!(spans.contains("stoa.orders.v1.OrderService/PlaceOrder"), "{spans:?}");
    places.push(("the traces".to_owned(), collector.bytes()));
    let search = needles.search();
    let mut leaks = Vec::new();
    let mut bytes = 0;
    for (place, contents) in &places {
        bytes += contents.len();
        leaks.extend(search.found_in(contents).into_iter().map(|leak| format!("{place}: {leak}")));
    }
    println!(
        "redaction: {} values, {} files and the traces ({} names), {} MB: {} leaks",
        needles.len(),
        places.len() - 1,
        spans.len(),
        bytes >> 20,
        leaks.len(),
    );
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

//! A minute of faults, the same ones every time.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use chaos::report::report;
use chaos::run::{Settings, run};

/// Its plan begins with the processes that an order cannot do without.
const SEED: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_order_is_lost_charged_twice_or_oversold_under_faults() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let settings = Settings {
        root,
        bin_dir: None,
        name: "chaos-short".to_owned(),
        seed: SEED,
        length: Duration::from_secs(60),
        customers: 8,
        sabotage: None,
    };
    let outcome = run(&settings, |_| ()).await.unwrap();
    let violations = &outcome.findings.violations;
    assert!(violations.is_empty(), "logs: .stoa/chaos-short/log\n{}", report(&outcome));
    let bought = outcome.findings.orders.iter().any(|(state, _)| state == "confirmed");
    assert!(bought, "nobody could buy anything:\n{}", report(&outcome));
}

//! What a run has shown, to be read by people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::run::{Outcome, Suffered};

/// The whole report, as Markdown.
pub fn report(outcome: &Outcome) -> String {
    let mut text = summary(outcome);
    let _ = writeln!(text, "\n| at | fault | lasted | next order after |\n|---|---|---|---|");
    let start = outcome.suffered.iter().map(|fault| fault.began - fault.planned.at).min();
    for fault in &outcome.suffered {
        let at = start.map(|start| fault.began - start).unwrap_or_default();
        let lasted = seconds(fault.ended - fault.began);
        let recovery = fault.recovery.map_or("–".to_owned(), seconds);
        let fault = fault.planned.fault;
        let _ = writeln!(text, "| {} | {fault} | {lasted} | {recovery} |", seconds(at));
    }
    text
}

/// The report without the list of faults.
pub fn summary(outcome: &Outcome) -> String {
    let findings = &outcome.findings;
    let acknowledged = outcome.purchases.iter().filter(|p| !p.told.is_empty()).count();
    let tried = outcome.purchases.len();
    let states: Vec<String> =
        findings.orders.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let (seed, length) = (outcome.seed, outcome.length.as_secs_f64() / 60.0);
    let (customers, faults) = (outcome.customers, kinds(&outcome.suffered));
    let (requests, indefinite) = (outcome.requests, outcome.indefinite);
    let violations = &findings.violations;
    let lines = [
        format!("seed {seed}, {length:.1} minutes, {customers} customers"),
        format!("faults: {} ({faults})", outcome.suffered.len()),
        format!("requests: {requests}, of them {indefinite} without a definite answer"),
        format!("orders acknowledged: {acknowledged} of {tried} that were tried"),
        format!("orders in the end: {}", states.join(", ")),
        format!("taken by the payment provider: EUR {:.2}", findings.taken as f64 / 100.0),
        format!("facts: {}; mails handed over twice: {}", findings.facts, findings.doubled_mails),
        format!("after a fault the next order: {}", recoveries(&outcome.suffered)),
        format!(
            "in the end: all ready {}, every order at its end {}, everything at rest {}",
            after(Some(outcome.ready)),
            after(outcome.settled.orders),
            after(outcome.settled.rest)
        ),
        format!("violations: {}", violations.len()),
    ];
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "- {line}");
    }
    for violation in violations {
        let _ = writeln!(text, "  - {violation}");
    }
    text
}

fn kinds(suffered: &[Suffered]) -> String {
    let mut counts = BTreeMap::new();
    for fault in suffered {
        *counts.entry(fault.planned.fault.kind()).or_insert(0) += 1;
    }
    let counts: Vec<String> =
        counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    counts.join(", ")
}

/// How soon orders were taken again.
fn recoveries(suffered: &[Suffered]) -> String {
    let mut all: Vec<(Duration, String)> = suffered
        .iter()
        .filter_map(|fault| Some((fault.recovery?, fault.planned.fault.to_string())))
        .collect();
    all.sort();
    let at = |share: f64| all.get(((all.len() as f64 - 1.0) * share) as usize);
    match (at(0.5), at(0.9), all.last()) {
        (Some((median, _)), Some((most, _)), Some((longest, fault))) => format!(
            "{} in the median, {} for nine of ten, {} at the longest ({fault})",
            seconds(*median),
            seconds(*most),
            seconds(*longest)
        ),
        _ => "none".to_owned(),
    }
}

fn after(time: Option<Duration>) -> String {
    time.map_or("not in time".to_owned(), |time| format!("after {}", seconds(time)))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

//! What a roll-out showed, in words.

use std::fmt::Write as _;

use super::Outcome;

/// A table of the phases, what came of it all, and every violation.
pub fn summary(outcome: &Outcome) -> String {
    let mut text =
        String::from("| phase | seconds | requests | orders | answers that were no success |\n");
    text.push_str("|---|---|---|---|---|\n");
    for phase in &outcome.phases {
        let others: Vec<_> = phase
            .others
            .iter()
            .map(|(answer, times)| format!("{times} × {}", answer.trim()))
            .collect();
        let (name, took) = (&phase.name, phase.took.as_secs_f64());
        let (requests, orders) = (phase.requests, phase.acknowledged);
        let _ = writeln!(
            text,
            "| {name} | {took:.0} | {requests} | {orders} | {} |",
            others.join(", ")
        );
    }
    text.push('\n');
    for line in lines(outcome) {
        let _ = writeln!(text, "- {line}");
    }
    let violations = outcome.violations.iter().chain(&outcome.findings.violations);
    for violation in violations {
        let _ = writeln!(text, "  - {violation}");
    }
    text
}

fn lines(outcome: &Outcome) -> Vec<String> {
    let Outcome { findings, purchases, .. } = outcome;
    let gained: Vec<_> = outcome.gained.iter().filter(|(_, migrations)| *migrations > 0).collect();
    let gained = match gained.as_slice() {
        [] => "none: both releases have the same schema".to_owned(),
        some => some.iter().map(|(s, n)| format!("{s} {n}")).collect::<Vec<_>>().join(", "),
    };
    let waited = match outcome.waited.as_slice() {
        [] => "nobody".to_owned(),
        some => some.join(", "),
    };
    let states: Vec<_> = findings.orders.iter().map(|(s, n)| format!("{s} {n}")).collect();
    let requests: usize = outcome.phases.iter().map(|phase| phase.requests).sum();
    let acknowledged: usize = outcome.phases.iter().map(|phase| phase.acknowledged).sum();
    let again: usize = outcome.phases.iter().flat_map(|phase| phase.others.values()).sum();
    let count = outcome.violations.len() + findings.violations.len();
    vec![
        format!("migrations of the next release: {gained}"),
        format!("waited for them, neither ready nor listening nor consuming: {waited}"),
        format!("requests: {requests}, of which no success: {again}"),
        format!("purchases: {}, acknowledged as orders: {acknowledged}", purchases.len()),
        format!("orders in the end: {}", states.join(", ")),
        format!("taken by the payment provider: EUR {:.2}", findings.taken as f64 / 100.0),
        format!("facts: {}; mails handed over twice: {}", findings.facts, findings.doubled_mails),
        format!(
            "in the end: every order at its end {}, everything at rest {}",
            after(outcome.settled.orders),
            after(outcome.settled.rest)
        ),
        format!("violations: {count}"),
    ]
}

fn after(time: Option<std::time::Duration>) -> String {
    time.map_or("not in time".to_owned(), |t| format!("after {:.1} s", t.as_secs_f64()))
}

//! All that the page shows of one moment.

use serde::Serialize;

use super::budget::Budget;
use super::graph::{Graph, Health};
use super::orders::Sagas;
use super::process::{Process, State};
use super::queues::{Outbox, Queue};
use super::reading::{Alert, Line};
use super::store::Holding;

/// A moment.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    /// Milliseconds since 1970.
    pub at: u64,
    pub headline: Headline,
    pub sources: Sources,
    pub graph: Graph,
    pub sagas: Sagas,
    pub queues: Vec<Queue>,
    pub outboxes: Vec<Outbox>,
    pub processes: Vec<Process>,
    pub budgets: Vec<Budget>,
    pub alerts: Vec<Alert>,
    pub history: Vec<Line>,
}

/// Where all this is from.
#[derive(Debug, Serialize)]
pub struct Sources {
    /// Why Prometheus does not answer; none when it does.
    pub prometheus: Option<String>,
    pub prometheus_url: String,
    /// `prometheus`, or `traces` where that is away.
    pub traffic: &'static str,
    /// The time over which rates are taken, for example `1m`.
    pub window: String,
    /// The time over which budgets are counted.
    pub budget_window: String,
    pub traces: Holding,
}

/// One sentence on how it goes.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// `good`, `warn`, `bad`.
    pub level: &'static str,
    pub text: String,
    /// What else there is to say.
    pub more: Vec<String>,
}

/// The worst first, in words.
pub fn headline(
    processes: &[Process],
    alerts: &[Alert],
    graph: &Graph,
    sagas: &Sagas,
    queues: &[Queue],
) -> Headline {
    let mut bad = Vec::new();
    let mut warn = Vec::new();
    for process in processes.iter().filter(|p| p.state == State::Down) {
        bad.push(format!("{} is down", process.name));
    }
    for alert in alerts.iter().filter(|alert| alert.state == "firing") {
        let list = if alert.severity == "page" { &mut bad } else { &mut warn };
        let text = format!("{}: {}", alert.name, alert.summary);
        // An alert has several windows, which say the same.
        if !list.contains(&text) {
            list.push(text);
        }
    }
    for edge in &graph.edges {
        let between = format!("{} → {}", edge.from, edge.to);
        match edge.health {
            Health::Open => bad.push(format!("{between}: calls are kept back by a breaker")),
            Health::Failing => {
                let share = edge.figures.errors.unwrap_or_default() * 100.0;
                bad.push(format!("{between}: {share:.1} % of calls fail"));
            }
            _ => {}
        }
    }
    if let Some(overdue) = sagas.overdue.filter(|overdue| *overdue > 0.0) {
        warn.push(format!("{overdue} orders are overdue"));
    }
    let dead: f64 = queues.iter().filter_map(|queue| queue.dead).sum();
    if dead > 0.0 {
        warn.push(format!("{dead} dead letters"));
    }
    for process in processes.iter().filter(|p| p.state == State::Degraded) {
        warn.push(format!("{} {}", process.name, process.detail));
    }
    let level = match (bad.is_empty(), warn.is_empty()) {
        (false, _) => "bad",
        (true, false) => "warn",
        (true, true) => "good",
    };
    bad.extend(warn);
    let mut all = bad.into_iter();
    let text = all.next().unwrap_or_else(|| "Everything that is watched is well".to_owned());
    Headline { level, text, more: all.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(name: &str, state: State) -> Process {
        Process {
            name: name.to_owned(),
            stands_for: None,
            state,
            detail: "works without redis".to_owned(),
            address: None,
            metrics: None,
            log: None,
            pid: None,
            memory: None,
            uptime: None,
            restarts: 0,
            version: None,
        }
    }

    fn told(processes: &[Process], overdue: Option<f64>) -> Headline {
        let graph = Graph { nodes: Vec::new(), edges: Vec::new() };
        let sagas = Sagas { standing: Vec::new(), overdue, oldest: None, ended: Vec::new() };
        headline(processes, &[], &graph, &sagas, &[])
    }

    #[test]
    fn what_is_down_comes_before_what_is_late() {
        let told =
            told(&[process("cart", State::Degraded), process("orders", State::Down)], Some(3.0));
        assert_eq!((told.level, told.text.as_str()), ("bad", "orders is down"));
        assert_eq!(told.more, ["3 orders are overdue", "cart works without redis"]);
    }

    #[test]
    fn nothing_wrong_is_said_in_words_too() {
        let told = told(&[process("orders", State::Up)], Some(0.0));
        assert_eq!((told.level, told.more.len()), ("good", 0));
    }
}

//! The call graph with what goes over each edge.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::histogram::Buckets;
use super::house::{BROKER, EDGE, House, PEOPLE};
use super::process::{Process, State};

/// Requests of one kind: how many a second, how many failed, how long they took.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub rate: f64,
    pub failed: f64,
    pub buckets: Buckets,
    /// In seconds, where each is known.
    pub durations: Vec<f64>,
}

/// What goes from whom to whom, by method, topic or operation; measured, or seen in
/// traces.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    pub calls: BTreeMap<(String, String, String), Tally>,
    pub served: BTreeMap<(String, String), Tally>,
    pub breakers: Vec<Breaker>,
}

/// A circuit breaker of a caller.
#[derive(Clone, Debug, Serialize)]
pub struct Breaker {
    #[serde(skip)]
    pub from: String,
    #[serde(skip)]
    pub to: String,
    /// `closed`, `half open`, `open`.
    pub state: &'static str,
    /// Calls a second that were made again.
    pub retries: f64,
    /// Calls a second that were not made.
    pub refused: f64,
}

/// Figures for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// A second.
    pub rate: f64,
    /// The share that failed; none without traffic.
    pub errors: Option<f64>,
    /// Seconds.
    pub p50: Option<f64>,
    pub p99: Option<f64>,
}

/// A line of a table.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    pub name: String,
    #[serde(flatten)]
    pub figures: Figures,
    /// What the contract promises, in seconds.
    pub promised: Option<f64>,
    pub health: Health,
}

/// How an edge does, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Nobody calls.
    Idle,
    Good,
    /// Slower than promised.
    Slow,
    /// More than one in a hundred fails.
    Failing,
    /// A breaker keeps calls back.
    Open,
}

#[derive(Debug, Serialize)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Debug, Serialize)]
pub struct Node {
    pub id: String,
    /// `people`, `edge`, `workload`, `store`, `broker`, `external`.
    pub kind: &'static str,
    pub state: State,
    /// The process behind it, where one is known.
    pub process: Option<String>,
    #[serde(flatten)]
    pub figures: Figures,
    pub served: Vec<Entry>,
}

#[derive(Debug, Serialize)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// `call`, `fact`, `store`, `external`.
    pub kind: &'static str,
    pub health: Health,
    #[serde(flatten)]
    pub figures: Figures,
    pub breaker: Option<Breaker>,
    pub entries: Vec<Entry>,
}

impl Traffic {
    /// Takes what goes from one to another from elsewhere, where nothing is known here.
    pub fn fill(&mut self, from: &str, to: &str, other: &Self) {
        let between = |(f, t, _): &(String, String, String)| f == from && t == to;
        if self.calls.keys().any(between) {
            return;
        }
        let more = other.calls.iter().filter(|(key, _)| between(key));
        self.calls.extend(more.map(|(key, tally)| (key.clone(), tally.clone())));
    }
}

impl Tally {
    /// Adds others to it.
    pub fn merge(&mut self, other: &Self) {
        self.rate += other.rate;
        self.failed += other.failed;
        self.buckets.merge(&other.buckets);
        self.durations.extend(&other.durations);
    }

    /// Adds some requests, failed or not.
    pub fn count(&mut self, rate: f64, failed: bool) {
        if rate.is_finite() {
            self.rate += rate;
            self.failed += if failed { rate } else { 0.0 };
        }
    }

    fn quantile(&self, q: f64) -> Option<f64> {
        if self.durations.is_empty() {
            return self.buckets.quantile(q);
        }
        let mut sorted = self.durations.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (q * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).copied()
    }

    fn figures(&self) -> Figures {
        // Less than one in ten minutes: a rate that Prometheus extrapolates to almost
        // nothing is nothing.
        let rate = if self.rate < 1.0 / 600.0 { 0.0 } else { self.rate };
        let some = rate > 0.0;
        Figures {
            rate,
            errors: some.then(|| (self.failed / self.rate).clamp(0.0, 1.0)),
            p50: self.quantile(0.5).filter(|_| some),
            p99: self.quantile(0.99).filter(|_| some),
        }
    }
}

/// Puts what was measured on what the contract draws.
pub fn graph(house: &House, traffic: &Traffic, processes: &[Process]) -> Graph {
    let edges = wanted(house).into_iter().map(|(from, to, kind)| {
        let between = traffic.calls.iter().filter(|((f, t, _), _)| *f == from && *t == to);
        let entries: Vec<_> =
            between.clone().map(|((.., name), tally)| entry(house, name, tally)).collect();
        let sum = total(between.map(|(_, tally)| tally));
        let breaker = traffic.breakers.iter().find(|b| b.from == from && b.to == to).cloned();
        let figures = sum.figures();
        let health = health(&figures, &entries, breaker.as_ref());
        Edge { from, to, kind, health, figures, breaker, entries: busiest_first(entries) }
    });
    Graph { edges: edges.collect(), nodes: nodes(house, traffic, processes) }
}

fn health(figures: &Figures, entries: &[Entry], breaker: Option<&Breaker>) -> Health {
    let worst = entries.iter().map(|entry| entry.health).max().unwrap_or(Health::Idle);
    match figures.errors {
        _ if breaker.is_some_and(|breaker| breaker.state != "closed") => Health::Open,
        Some(errors) if errors > 0.01 => Health::Failing,
        // One method of many may fail while the sum looks well.
        Some(_) => worst.max(Health::Good),
        None => Health::Idle,
    }
}

fn entry(house: &House, name: &str, tally: &Tally) -> Entry {
    let method = house.methods.iter().find(|method| method.name == name);
    let promised = method.and_then(|method| method.promise).map(|promise| promise.latency);
    let figures = tally.figures();
    let late = figures.p99.zip(promised).is_some_and(|(p99, promised)| p99 > promised);
    let health = match figures.errors {
        None => Health::Idle,
        Some(errors) if errors > 0.01 => Health::Failing,
        Some(_) if late => Health::Slow,
        Some(_) => Health::Good,
    };
    Entry { name: name.to_owned(), figures, promised, health }
}

fn busiest_first(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| b.figures.rate.total_cmp(&a.figures.rate).then(a.name.cmp(&b.name)));
    entries
}

fn total<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Tally {
    tallies.fold(Tally::default(), |mut sum, tally| {
        sum.merge(tally);
        sum
    })
}

/// Every edge that the contract knows: from, to, kind.
fn wanted(house: &House) -> Vec<(String, String, &'static str)> {
    let mut edges = vec![(PEOPLE.to_owned(), EDGE.to_owned(), "call")];
    edges.extend(house.calls.iter().map(|call| (call.from.clone(), call.to.clone(), "call")));
    let publishers: BTreeSet<&String> = house.facts.iter().map(|flow| &flow.from).collect();
    let consumers: BTreeSet<&String> = house.facts.iter().flat_map(|flow| &flow.to).collect();
    edges.extend(publishers.into_iter().map(|from| (from.clone(), BROKER.to_owned(), "fact")));
    edges.extend(consumers.into_iter().map(|to| (BROKER.to_owned(), to.clone(), "fact")));
    for workload in &house.workloads {
        let own = |to: &String, kind| (workload.name.clone(), to.clone(), kind);
        edges.extend(workload.stores.iter().map(|store| own(store, "store")));
        edges.extend(workload.external.iter().map(|external| own(external, "external")));
    }
    edges
}

fn nodes(house: &House, traffic: &Traffic, processes: &[Process]) -> Vec<Node> {
    let mut kinds: BTreeMap<String, &'static str> = BTreeMap::new();
    for (from, to, kind) in wanted(house) {
        if kind != "call" {
            kinds.entry(to).or_insert(if kind == "store" { "store" } else { "external" });
        }
        kinds.entry(from).or_insert("workload");
    }
    let named = house.workloads.iter().map(|workload| (workload.name.clone(), "workload"));
    kinds.extend(named);
    for (id, kind) in [(PEOPLE, "people"), (EDGE, "edge"), (BROKER, "broker")] {
        kinds.insert(id.to_owned(), kind);
    }
    kinds.into_iter().map(|(id, kind)| node(id, kind, house, traffic, processes)).collect()
}

fn node(
    id: String,
    kind: &'static str,
    house: &House,
    traffic: &Traffic,
    processes: &[Process],
) -> Node {
    let process = processes.iter().find(|p| p.name == id || p.stands_for.as_ref() == Some(&id));
    let served = traffic.served.iter().filter(|((workload, _), _)| *workload == id);
    let entries = served.clone().map(|((_, name), tally)| entry(house, name, tally)).collect();
    let mut sum = total(served.map(|(_, tally)| tally));
    if kind != "workload" {
        sum = total(traffic.calls.iter().filter(|((_, to, _), _)| *to == id).map(|(_, t)| t));
    }
    Node {
        kind,
        state: process.map_or(State::Unknown, |process| process.state),
        process: process.map(|process| process.name.clone()),
        figures: sum.figures(),
        served: busiest_first(entries),
        id,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::house::{Call, Flow, Method, Promise, Workload};

    fn house() -> House {
        let workload = |name: &str| Workload {
            name: name.to_owned(),
            stores: ["postgres".to_owned()].into(),
            external: BTreeSet::new(),
        };
        let method = "stoa.cart.v1.CartService/GetCart".to_owned();
        House {
            workloads: vec![workload("orders"), workload("cart")],
            calls: vec![Call {
                from: "orders".to_owned(),
                to: "cart".to_owned(),
                methods: [method.clone()].into(),
            }],
            facts: vec![Flow {
                topic: "orders.v1.order_placed".to_owned(),
                from: "orders".to_owned(),
                to: vec!["cart".to_owned()],
            }],
            methods: vec![Method {
                name: method,
                workload: "cart".to_owned(),
                promise: Some(Promise { availability: 0.999, latency: 0.05 }),
            }],
        }
    }

    fn traffic(rate: f64, failed: f64, seconds: f64) -> Traffic {
        let tally = Tally { rate, failed, durations: vec![seconds], ..Tally::default() };
        let method = "stoa.cart.v1.CartService/GetCart".to_owned();
        let mut traffic = Traffic::default();
        traffic.served.insert(("cart".to_owned(), method.clone()), tally.clone());
        traffic.calls.insert(("orders".to_owned(), "cart".to_owned(), method), tally);
        traffic
    }

    fn edge(traffic: &Traffic) -> Edge {
        let graph = graph(&house(), traffic, &[]);
        graph.edges.into_iter().find(|e| e.from == "orders" && e.to == "cart").unwrap()
    }

    #[test]
    fn every_edge_of_the_contract_is_drawn_whether_or_not_anybody_calls() {
        let graph = graph(&house(), &Traffic::default(), &[]);
        let edges: Vec<_> =
            graph.edges.iter().map(|e| format!("{} {} {}", e.from, e.kind, e.to)).collect();
        assert_eq!(
            edges,
            [
                "people call edge",
                "orders call cart",
                "orders fact rabbitmq",
                "rabbitmq fact cart",
                "orders store postgres",
                "cart store postgres",
            ]
        );
        assert!(graph.edges.iter().all(|edge| edge.health == Health::Idle));
        let nodes: Vec<_> = graph.nodes.iter().map(|n| (n.id.as_str(), n.kind)).collect();
        assert!(nodes.contains(&("rabbitmq", "broker")) && nodes.contains(&("edge", "edge")));
        assert!(nodes.contains(&("postgres", "store")) && nodes.contains(&("cart", "workload")));
    }

    #[test]
    fn an_edge_says_how_it_does() {
        assert_eq!(edge(&traffic(10.0, 0.0, 0.01)).health, Health::Good);
        assert_eq!(edge(&traffic(10.0, 0.0, 0.06)).health, Health::Slow);
        assert_eq!(edge(&traffic(10.0, 0.5, 0.01)).health, Health::Failing);
        assert_eq!(edge(&traffic(0.0001, 0.0, 0.01)).health, Health::Idle);
        let mut guarded = traffic(10.0, 0.0, 0.01);
        guarded.breakers.push(Breaker {
            from: "orders".to_owned(),
            to: "cart".to_owned(),
            state: "open",
            retries: 0.0,
            refused: 3.0,
        });
        assert_eq!(edge(&guarded).health, Health::Open);
    }

    #[test]
    fn figures_are_sums_of_all_methods() {
        let mut traffic = traffic(10.0, 1.0, 0.01);
        let more = Tally { rate: 30.0, durations: vec![0.5; 3], ..Tally::default() };
        let key = ("orders".to_owned(), "cart".to_owned(), "another".to_owned());
        traffic.calls.insert(key, more);
        let edge = edge(&traffic);
        assert_eq!((edge.figures.rate, edge.figures.errors), (40.0, Some(0.025)));
        assert_eq!((edge.figures.p99, edge.entries[0].name.as_str()), (Some(0.5), "another"));
    }

    #[test]
    fn a_node_is_as_its_process_is() {
        let process = Process {
            name: "sandbox".to_owned(),
            stands_for: Some("cart".to_owned()),
            state: State::Down,
            detail: String::new(),
            address: None,
            metrics: None,
            log: None,
            pid: None,
            memory: None,
            uptime: None,
            restarts: 0,
            version: None,
        };
        let graph = graph(&house(), &Traffic::default(), &[process]);
        let state = |id: &str| graph.nodes.iter().find(|n| n.id == id).unwrap().state;
        assert_eq!((state("cart"), state("orders")), (State::Down, State::Unknown));
    }
}

//! What the contract says should be there.

use std::collections::BTreeSet;

/// Who is who, and who may call whom.
#[derive(Clone, Debug, Default)]
pub struct House {
    pub workloads: Vec<Workload>,
    pub calls: Vec<Call>,
    pub facts: Vec<Flow>,
    pub methods: Vec<Method>,
}

/// Somebody who serves.
#[derive(Clone, Debug)]
pub struct Workload {
    pub name: String,
    /// `postgres`, `redis`.
    pub stores: BTreeSet<String>,
    /// Whom it calls outside.
    pub external: BTreeSet<String>,
}

/// An edge of the call graph.
#[derive(Clone, Debug)]
pub struct Call {
    pub from: String,
    pub to: String,
    /// As metrics name them: `stoa.orders.v1.OrderService/PlaceOrder`.
    pub methods: BTreeSet<String>,
}

/// A fact on its way.
#[derive(Clone, Debug)]
pub struct Flow {
    pub topic: String,
    pub from: String,
    pub to: Vec<String>,
}

/// A method and what it promises.
#[derive(Clone, Debug)]
pub struct Method {
    pub name: String,
    pub workload: String,
    pub promise: Option<Promise>,
}

/// A service level objective.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// The share of good answers, for example 0.999.
    pub availability: f64,
    /// The time within which 99 % are answered, in seconds.
    pub latency: f64,
}

/// The name of whoever comes from outside.
pub const PEOPLE: &str = "people";
/// The door for people.
pub const EDGE: &str = "edge";
/// The broker.
pub const BROKER: &str = "rabbitmq";

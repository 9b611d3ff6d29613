//! Traffic as Prometheus measures it.

use std::collections::BTreeSet;

use super::graph::{Breaker, Traffic};
use super::histogram::{is_failure, is_promised};
use super::house::{BROKER, EDGE, House, PEOPLE};
use super::reading::{Readings, Sample};

/// Who called whom, from the metrics of both sides.
pub fn traffic(house: &House, readings: &Readings) -> Traffic {
    let mut traffic = Traffic::default();
    served(readings, &mut traffic);
    called(house, readings, &mut traffic);
    from_the_edge(house, readings, &mut traffic);
    of_stores(house, readings, &mut traffic);
    of_facts(readings, &mut traffic);
    outside(readings, &mut traffic);
    breakers(readings, &mut traffic);
    traffic
}

fn method(sample: &Sample) -> String {
    sample.label("rpc_method").trim_start_matches('/').to_owned()
}

fn served(readings: &Readings, traffic: &mut Traffic) {
    let key = |sample: &Sample| (sample.label("job").to_owned(), method(sample));
    for sample in readings.of("served") {
        let status = sample.label("rpc_response_status_code");
        if is_promised(status) {
            traffic.served.entry(key(sample)).or_default().count(sample.value, is_failure(status));
        }
    }
    for sample in readings.of("served_buckets") {
        traffic.served.entry(key(sample)).or_default().buckets.add(sample);
    }
}

/// A method is served by one workload: its name says who was called.
fn called(house: &House, readings: &Readings, traffic: &mut Traffic) {
    let key = |sample: &Sample| {
        let name = method(sample);
        let callee = house.methods.iter().find(|method| method.name == name)?;
        Some((sample.label("job").to_owned(), callee.workload.clone(), name))
    };
    for sample in readings.of("called") {
        let Some(key) = key(sample) else { continue };
        let failed = is_failure(sample.label("rpc_response_status_code"));
        traffic.calls.entry(key).or_default().count(sample.value, failed);
    }
    for sample in readings.of("called_buckets") {
        let Some(key) = key(sample) else { continue };
        traffic.calls.entry(key).or_default().buckets.add(sample);
    }
}

/// The edge tells of requests, not of methods. What it may call nobody else does, tools
/// apart: so what is served is what it called.
fn from_the_edge(house: &House, readings: &Readings, traffic: &mut Traffic) {
    let mut all = super::graph::Tally::default();
    for call in house.calls.iter().filter(|call| call.from == EDGE) {
        for name in &call.methods {
            let Some(tally) = traffic.served.get(&(call.to.clone(), name.clone())) else {
                continue;
            };
            all.merge(tally);
            let key = (EDGE.to_owned(), call.to.clone(), name.clone());
            traffic.calls.insert(key, tally.clone());
        }
    }
    let key = (PEOPLE.to_owned(), EDGE.to_owned(), "HTTP".to_owned());
    if readings.of("edge").is_empty() {
        traffic.calls.insert(key, all);
        return;
    }
    let tally = traffic.calls.entry(key).or_default();
    for sample in readings.of("edge") {
        tally.count(sample.value, sample.label("envoy_response_code_class") == "5");
    }
    for sample in readings.of("edge_buckets") {
        tally.buckets.add_in(sample, 1e-3);
    }
}

fn of_stores(house: &House, readings: &Readings, traffic: &mut Traffic) {
    let key = |sample: &Sample| {
        let own = house.workloads.iter().find(|w| w.name == sample.label("job"))?;
        // No workload has two stores.
        let store = own.stores.first()?;
        let operation = sample.label("db_operation_name").to_owned();
        Some((own.name.clone(), store.clone(), operation))
    };
    for sample in readings.of("stored") {
        let Some(key) = key(sample) else { continue };
        let failed = !sample.label("error_type").is_empty();
        traffic.calls.entry(key).or_default().count(sample.value, failed);
    }
    for sample in readings.of("stored_buckets") {
        let Some(key) = key(sample) else { continue };
        traffic.calls.entry(key).or_default().buckets.add(sample);
    }
}

fn of_facts(readings: &Readings, traffic: &mut Traffic) {
    let topic = |sample: &Sample| sample.label("messaging_destination_name").to_owned();
    for sample in readings.of("sent") {
        let key = (sample.label("job").to_owned(), BROKER.to_owned(), topic(sample));
        traffic.calls.entry(key).or_default().count(sample.value, false);
    }
    let consumed = |sample: &Sample| {
        let consumer = sample.label("messaging_consumer_group_name").to_owned();
        (BROKER.to_owned(), consumer, topic(sample))
    };
    for sample in readings.of("consumed") {
        let failed = ["retried", "dead"].contains(&sample.label("outcome"));
        traffic.calls.entry(consumed(sample)).or_default().count(sample.value, failed);
    }
    for sample in readings.of("processed_buckets") {
        traffic.calls.entry(consumed(sample)).or_default().buckets.add(sample);
    }
}

/// The payment provider's answers, and mail that was handed over.
fn outside(readings: &Readings, traffic: &mut Traffic) {
    let key = |sample: &Sample| {
        let operation = sample.label("operation").to_owned();
        ("payments".to_owned(), "payment-provider".to_owned(), operation)
    };
    for sample in readings.of("provider") {
        // 0: no answer at all.
        let status = sample.label("status").parse::<u16>().unwrap_or_default();
        let failed = status == 0 || status >= 500;
        traffic.calls.entry(key(sample)).or_default().count(sample.value, failed);
    }
    for sample in readings.of("provider_buckets") {
        traffic.calls.entry(key(sample)).or_default().buckets.add(sample);
    }
    for sample in readings.of("mailed") {
        let outcome = sample.label("outcome");
        let key = ("notifications".to_owned(), "smtp".to_owned(), "mail".to_owned());
        traffic.calls.entry(key).or_default().count(sample.value, !DELIVERED.contains(&outcome));
    }
}

/// How a hand-over of a mail may end well.
const DELIVERED: [&str; 3] = ["sent", "suppressed", "postponed"];

fn breakers(readings: &Readings, traffic: &mut Traffic) {
    let pairs = readings.of("breakers").iter().map(|s| (s.label("job"), s.label("callee")));
    let pairs: BTreeSet<(&str, &str)> = pairs.collect();
    for (from, to) in pairs {
        let labels = [("job", from), ("callee", to)];
        let state = match readings.first("breakers", &labels).unwrap_or_default() {
            value if value >= 1.5 => "open",
            value if value >= 0.5 => "half open",
            _ => "closed",
        };
        traffic.breakers.push(Breaker {
            from: from.to_owned(),
            to: to.to_owned(),
            state,
            retries: readings.sum("retries", &labels),
            refused: readings.sum("refused", &labels),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::house::{Call, Method, Workload};

    fn sample(labels: &[(&str, &str)], value: f64) -> Sample {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Sample { labels: labels.collect(), value }
    }

    #[test]
    fn both_sides_of_a_call_are_put_on_the_contract() {
        let get = "stoa.cart.v1.CartService/GetCart";
        let call = |from: &str| Call {
            from: from.to_owned(),
            to: "cart".to_owned(),
            methods: [get.to_owned()].into(),
        };
        let house = House {
            workloads: vec![Workload {
                name: "cart".to_owned(),
                stores: ["redis".to_owned()].into(),
                external: Default::default(),
            }],
            calls: vec![call("edge")],
            methods: vec![Method {
                name: get.to_owned(),
                workload: "cart".to_owned(),
                promise: None,
            }],
            ..House::default()
        };
        let rpc =
            |job, status| [("job", job), ("rpc_method", get), ("rpc_response_status_code", status)];
        let mut readings = Readings::default();
        let served = vec![
            sample(&rpc("cart", "OK"), 9.0),
            sample(&rpc("cart", "UNAVAILABLE"), 1.0),
            sample(&rpc("cart", "UNAUTHENTICATED"), 70.0),
            sample(&rpc("cart", "NOT_FOUND"), f64::NAN),
        ];
        readings.0.insert("served", served);
        readings.0.insert("called", vec![sample(&rpc("orders", "OK"), 4.0)]);
        let stored = sample(&[("job", "cart"), ("db_operation_name", "GET")], 20.0);
        readings.0.insert("stored", vec![stored]);
        let breaker = [("job", "orders"), ("callee", "cart")];
        readings.0.insert("breakers", vec![sample(&breaker, 2.0)]);
        let traffic = traffic(&house, &readings);
        let calls: Vec<_> = traffic
            .calls
            .iter()
            .map(|((from, to, _), tally)| format!("{from} {to} {}/{}", tally.failed, tally.rate))
            .collect();
        assert_eq!(
            calls,
            ["cart redis 0/20", "edge cart 1/10", "orders cart 0/4", "people edge 1/10"]
        );
        assert_eq!(traffic.breakers[0].state, "open");
    }
}

//! Traffic as spans tell of it: where nothing is measured, or not yet.

use std::collections::HashMap;

use super::graph::Traffic;
use super::house::{BROKER, EDGE, House, PEOPLE};
use super::span::{Kind, Span, SpanId};

/// What the spans of some traces say about the last `seconds` before `now`, which is in
/// nanoseconds since 1970. A sample where traces are sampled.
pub fn traffic<'a>(
    house: &House,
    traces: impl Iterator<Item = &'a [Span]>,
    now: u64,
    seconds: u64,
) -> Traffic {
    let since = now.saturating_sub(seconds * 1_000_000_000);
    let mut traffic = Traffic::default();
    // Traces arrive in about the order in which they began; a long one may be late.
    for spans in traces.take(MOST) {
        let services: HashMap<SpanId, &str> =
            spans.iter().map(|span| (span.id, span.service.as_str())).collect();
        for span in spans.iter().filter(|span| span.start >= since) {
            if let Some((from, to, name)) = told(house, span, &services) {
                let failed = span.error.is_some();
                let rate = 1.0 / seconds as f64;
                if span.kind == Kind::Server && to == span.service {
                    let served = traffic.served.entry((to.clone(), name.clone())).or_default();
                    served.count(rate, failed);
                    served.durations.push(span.duration() as f64 / 1e9);
                }
                let tally = traffic.calls.entry((from, to, name)).or_default();
                tally.count(rate, failed);
                tally.durations.push(span.duration() as f64 / 1e9);
            }
        }
    }
    traffic
}

/// Traces that are looked at.
const MOST: usize = 2_000;

/// From whom to whom, and what.
fn told(
    house: &House,
    span: &Span,
    services: &HashMap<SpanId, &str>,
) -> Option<(String, String, String)> {
    let parent = span.parent.and_then(|id| services.get(&id)).map(|service| (*service).to_owned());
    let own = span.service.clone();
    let name = span.name.trim_start_matches('/').to_owned();
    let fact = || name.split_once(' ').map_or(name.clone(), |(_, topic)| topic.to_owned());
    Some(match span.kind {
        Kind::Server if own == EDGE => (PEOPLE.to_owned(), own, name),
        Kind::Server => {
            let caller = parent.filter(|parent| *parent != own);
            let told = span.attribute("mesh.from").map(str::to_owned);
            (caller.or(told).unwrap_or_else(|| EDGE.to_owned()), own, name)
        }
        Kind::Producer => (own, BROKER.to_owned(), fact()),
        Kind::Consumer => (BROKER.to_owned(), own, fact()),
        Kind::Client => {
            // Where no attribute tells, the name begins with who is asked.
            let store = span.database().unwrap_or(&name);
            let known = house.workloads.iter().find(|workload| workload.name == own)?;
            let to = known.stores.iter().find(|known| store.starts_with(known.as_str()))?;
            let operation = span.attribute("db.operation.name").unwrap_or(&name).to_owned();
            (own, to.clone(), operation)
        }
        Kind::Internal => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::house::Workload;
    use crate::domain::span::tests::span;

    #[test]
    fn who_calls_whom_is_read_from_the_parents() {
        let orders = Workload {
            name: "orders".to_owned(),
            stores: ["postgres".to_owned()].into(),
            external: Default::default(),
        };
        let house = House { workloads: vec![orders], ..House::default() };
        let kind = |kind, name: &str, span: Span| Span { kind, name: name.to_owned(), ..span };
        let mut sql =
            kind(Kind::Client, "SELECT orders", span(1, 4, 2, "orders", (61_000, 61_002)));
        sql.attributes.push(("db.system.name".to_owned(), "postgresql".to_owned()));
        let mut failed = span(1, 3, 2, "cart", (61_000, 61_010));
        failed.error = Some(String::new());
        let spans = vec![
            kind(Kind::Server, "POST /v1/orders", span(1, 1, 0, "edge", (60_000, 62_000))),
            span(1, 2, 1, "orders", (60_500, 61_500)),
            failed,
            sql,
            kind(
                Kind::Producer,
                "send orders.v1.order_placed",
                span(1, 5, 2, "orders", (61_100, 61_101)),
            ),
            kind(
                Kind::Consumer,
                "process orders.v1.order_placed",
                span(1, 6, 5, "notifications", (61_200, 61_300)),
            ),
            span(1, 7, 0, "orders", (1, 2)),
        ];
        let all = [spans];
        let traffic = traffic(&house, all.iter().map(Vec::as_slice), 90_000_000_000, 60);
        let calls: Vec<_> =
            traffic.calls.keys().map(|(f, t, name)| format!("{f} > {t}: {name}")).collect();
        assert_eq!(
            calls,
            [
                "edge > orders: orders 2",
                "orders > cart: cart 3",
                "orders > postgres: SELECT orders",
                "orders > rabbitmq: orders.v1.order_placed",
                "people > edge: POST /v1/orders",
                "rabbitmq > notifications: orders.v1.order_placed",
            ]
        );
        let failing = &traffic.served[&("cart".to_owned(), "cart 3".to_owned())];
        assert_eq!((failing.rate, failing.failed), (1.0 / 60.0, 1.0 / 60.0));
        assert_eq!(failing.durations, [0.01]);
    }
}

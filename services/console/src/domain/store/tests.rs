#![allow(clippy::unwrap_used)]
use super::*;
use crate::domain::span::tests::span;

fn store(traces: usize) -> Store {
    Store::new(Limits { bytes: 1 << 20, traces })
}

fn failed(trace: u8, id: u8) -> Span {
    Span { error: Some("no".to_owned()), ..span(trace, id, 0, "orders", (0, 1)) }
}

fn kept(store: &Store) -> Vec<u8> {
    let all = store.latest(&Filter::default(), 1_000);
    all.iter().map(|summary| summary.trace.0[0]).collect()
}

#[test]
fn the_oldest_trace_makes_room() {
    let mut store = store(2);
    for trace in 1..=3 {
        store.add(span(trace, 1, 0, "orders", (0, 1)));
    }
    assert_eq!(kept(&store), [3, 2]);
    assert_eq!((store.holding().gone, store.holding().spans), (1, 2));
    assert!(store.spans(TraceId([1; 16])).is_empty());
}

#[test]
fn a_trace_with_an_error_stays_longer_but_not_for_ever() {
    let mut store = store(4);
    store.add(failed(1, 1));
    for trace in 2..=20 {
        store.add(span(trace, 1, 0, "orders", (0, 1)));
    }
    assert_eq!(kept(&store), [20, 19, 18, 1]);
    for trace in 21..=30 {
        store.add(failed(trace, 1));
    }
    assert_eq!(kept(&store), [30, 29, 20, 19]);
}

#[test]
fn an_error_that_comes_late_saves_its_trace() {
    let mut store = store(3);
    store.add(span(1, 1, 0, "orders", (0, 1)));
    store.add(failed(1, 2));
    for trace in 2..=9 {
        store.add(span(trace, 1, 0, "orders", (0, 1)));
    }
    assert_eq!(kept(&store), [9, 8, 1]);
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let limits = Limits { bytes: 64 * 1024, traces: 1_000_000 };
    let mut store = Store::new(limits);
    for number in 0..20_000_u32 {
        let mut one = span(1, 1, 0, "orders", (0, 1));
        one.trace = TraceId((u128::from(number) * 7).to_be_bytes());
        one.error = (number % 3 == 0).then(|| "x".repeat(number as usize % 500));
        store.add(one);
        assert!(store.holding().bytes <= limits.bytes);
    }
    let holding = store.holding();
    assert_eq!(holding.traces, store.traces.len());
    assert_eq!(holding.bytes, store.traces.values().map(|t| t.bytes).sum::<usize>());
    let of_failed = store.traces.values().filter(|t| t.errors > 0).map(|t| t.bytes);
    assert_eq!(store.failed_bytes, of_failed.sum::<usize>());
    assert_eq!(store.order.len(), store.traces.len());
}

#[test]
fn a_trace_that_never_ends_is_cut() {
    let mut store = Store::new(Limits { bytes: 64 << 20, traces: 10 });
    for number in 0..SPANS_PER_TRACE as u64 + 5 {
        let mut one = span(1, 1, 0, "orders", (0, 1));
        one.id = SpanId(number.to_be_bytes());
        store.add(one);
    }
    assert_eq!((store.holding().spans, store.holding().cut), (SPANS_PER_TRACE, 5));
}

#[test]
fn a_span_that_is_sent_twice_is_kept_once() {
    let mut store = store(10);
    store.add(span(1, 1, 0, "orders", (0, 1)));
    store.add(span(1, 1, 0, "orders", (0, 1)));
    assert_eq!((store.holding().spans, store.holding().received), (1, 2));
}

#[test]
fn traces_are_found_by_who_takes_part_by_name_by_error_by_time_and_by_id() {
    let mut store = store(10);
    store.add(span(1, 1, 0, "orders", (0, 5)));
    store.add(span(1, 2, 1, "cart", (1, 2)));
    store.add(span(2, 1, 0, "cart", (10, 110)));
    store.add(failed(3, 1));
    let found = |filter: Filter| -> Vec<u8> {
        store.latest(&filter, 10).iter().map(|summary| summary.trace.0[0]).collect()
    };
    let none = Filter::default;
    assert_eq!(found(none()), [3, 2, 1]);
    assert_eq!(found(Filter { service: Some("cart".to_owned()), ..none() }), [2, 1]);
    assert_eq!(found(Filter { name: Some("CART 2".to_owned()), ..none() }), [1]);
    assert_eq!(found(Filter { errors: true, ..none() }), [3]);
    assert_eq!(found(Filter { slower_than: 100_000_000, ..none() }), [2]);
    assert_eq!(found(Filter { id: Some("0202".to_owned()), ..none() }), [2]);
}

#[test]
fn a_summary_names_what_began_it() {
    let mut store = store(10);
    store.add(span(1, 2, 1, "cart", (1, 20)));
    store.add(span(1, 1, 0, "edge", (0, 8)));
    let summary = store.latest(&Filter::default(), 1).remove(0);
    assert_eq!((summary.service.as_str(), summary.name.as_str()), ("edge", "edge 1"));
    assert_eq!((summary.duration, summary.answered), (20_000_000, 8_000_000));
    assert_eq!(summary.services, ["cart", "edge"]);
}

#[test]
fn traces_that_point_at_one_another_are_found_together_until_they_go() {
    let mut store = store(2);
    store.add(span(1, 1, 0, "orders", (0, 5)));
    let mut consumer = span(2, 9, 0, "notifications", (6, 7));
    consumer.links.push((TraceId([1; 16]), SpanId([1; 8])));
    store.add(consumer);
    assert_eq!(store.spans(TraceId([1; 16])).len(), 2);
    assert_eq!(store.spans(TraceId([2; 16])).len(), 1);
    store.add(span(3, 1, 0, "orders", (0, 5)));
    store.add(span(4, 1, 0, "orders", (0, 5)));
    assert!(store.linked.is_empty());
}

#[test]
fn a_trace_whose_beginning_has_not_come_is_listed_when_it_is_late() {
    let mut store = store(10);
    store.add(span(1, 2, 1, "orders", (100, 105)));
    let listed = |store: &Store, settled: u64| {
        let filter = Filter { settled: Some(settled * 1_000_000), ..Filter::default() };
        store.latest(&filter, 10).len()
    };
    assert_eq!((listed(&store, 99), listed(&store, 100)), (0, 1));
    store.add(span(1, 1, 0, "edge", (99, 106)));
    assert_eq!(listed(&store, 98), 1);
}

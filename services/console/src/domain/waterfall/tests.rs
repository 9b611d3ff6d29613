#![allow(clippy::unwrap_used)]
use super::*;
use crate::domain::span::tests::span;

const TRACE: TraceId = TraceId([1; 16]);

fn drawn(spans: &[Span]) -> Waterfall {
    draw(TRACE, &spans.iter().collect::<Vec<_>>()).unwrap()
}

/// Id, depth, offset and duration in milliseconds.
fn shape(waterfall: &Waterfall) -> Vec<(u8, usize, u64, u64)> {
    let ms = 1_000_000;
    let shape = |row: &Row| (row.id.0[0], row.depth, row.offset / ms, row.duration / ms);
    waterfall.rows.iter().map(shape).collect()
}

fn of_kind(kind: Kind, span: Span) -> Span {
    Span { kind, ..span }
}

#[test]
fn children_follow_their_parents_by_their_start() {
    let drawn = drawn(&[
        span(1, 3, 1, "cart", (6, 9)),
        span(1, 4, 2, "catalog", (3, 4)),
        span(1, 1, 0, "edge", (1, 11)),
        span(1, 2, 1, "orders", (2, 5)),
    ]);
    assert_eq!(shape(&drawn), [(1, 0, 0, 10), (2, 1, 1, 3), (4, 2, 2, 1), (3, 1, 5, 3)]);
    assert_eq!(drawn.duration, 10_000_000);
}

#[test]
fn the_time_of_a_span_is_shared_with_its_children_once() {
    let drawn = drawn(&[
        span(1, 1, 0, "edge", (0, 10)),
        span(1, 2, 1, "orders", (1, 5)),
        span(1, 3, 1, "cart", (3, 7)),
    ]);
    let ms = |n: u64| n * 1_000_000;
    assert_eq!(drawn.rows.iter().map(|row| row.own).collect::<Vec<_>>(), [ms(4), ms(4), ms(4)]);
    assert_eq!(drawn.work.len(), 3);
}

#[test]
fn a_span_whose_parent_did_not_come_is_shown_and_marked() {
    let drawn = drawn(&[span(1, 1, 0, "edge", (0, 10)), span(1, 5, 77, "cart", (2, 3))]);
    assert_eq!(shape(&drawn), [(1, 0, 0, 10), (5, 0, 2, 1)]);
    assert_eq!(drawn.rows.iter().map(|row| row.orphan).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn a_clock_that_goes_wrong_is_put_right_with_all_that_hangs_on_it() {
    let call = of_kind(Kind::Client, span(1, 1, 0, "orders", (100, 110)));
    let drawn = drawn(&[
        call,
        // Two seconds behind: 4 ms of work, 3 ms on the way there and back.
        span(1, 2, 1, "payments", (0, 4)),
        of_kind(Kind::Client, span(1, 3, 2, "payments", (1, 2))),
    ]);
    assert_eq!(shape(&drawn), [(1, 0, 0, 10), (2, 1, 3, 4), (3, 2, 4, 1)]);
    assert_eq!(drawn.rows[1].shifted, 103_000_000);
}

#[test]
fn work_that_goes_on_after_its_caller_gave_up_is_left_where_it_was() {
    let call = of_kind(Kind::Client, span(1, 1, 0, "orders", (0, 10)));
    let drawn = drawn(&[call, span(1, 2, 1, "payments", (2, 40))]);
    assert_eq!(shape(&drawn), [(1, 0, 0, 10), (2, 1, 2, 38)]);
    assert_eq!(drawn.rows[1].shifted, 0);
}

#[test]
fn waiting_in_the_outbox_and_in_the_queue_is_a_gap() {
    let drawn = drawn(&[
        span(1, 1, 0, "orders", (0, 10)),
        of_kind(Kind::Producer, span(1, 2, 1, "orders", (25, 27))),
        of_kind(Kind::Consumer, span(1, 3, 2, "notifications", (30, 40))),
    ]);
    let gap = |ms: (u64, u64), place| {
        Some(Gap { offset: ms.0 * 1_000_000, duration: ms.1 * 1_000_000, place })
    };
    let gaps: Vec<_> = drawn.rows.iter().map(|row| row.gap).collect();
    assert_eq!(gaps, [None, gap((10, 15), Place::Outbox), gap((27, 3), Place::Queue)]);
}

#[test]
fn a_fact_waits_from_when_it_was_written_while_its_writer_goes_on() {
    let mut send = of_kind(Kind::Producer, span(1, 2, 1, "orders", (25, 27)));
    // UUID version 7 of the twentieth millisecond of 1970.
    let id = ("messaging.message.id".to_owned(), "00000000-0014-7000-8000-000000000000".to_owned());
    send.attributes.push(id);
    let drawn = drawn(&[span(1, 1, 0, "orders", (10, 40)), send]);
    let gap = drawn.rows[1].gap.unwrap();
    assert_eq!((gap.offset, gap.duration, gap.place), (10_000_000, 5_000_000, Place::Outbox));
}

#[test]
fn a_trace_that_points_at_this_one_hangs_where_it_points() {
    let mut consumer = of_kind(Kind::Consumer, span(2, 9, 0, "notifications", (20, 30)));
    consumer.links.push((TRACE, SpanId([1; 8])));
    let drawn = drawn(&[
        consumer,
        of_kind(Kind::Client, span(2, 8, 9, "notifications", (21, 29))),
        of_kind(Kind::Producer, span(1, 1, 0, "orders", (0, 10))),
    ]);
    assert_eq!(shape(&drawn), [(1, 0, 0, 10), (9, 1, 20, 10), (8, 2, 21, 8)]);
    assert!(drawn.rows[1].linked && !drawn.rows[2].linked && !drawn.rows[1].orphan);
}

#[test]
fn circles_and_spans_that_are_their_own_parents_are_drawn_once() {
    let drawn = drawn(&[
        span(1, 1, 2, "a", (0, 1)),
        span(1, 2, 1, "b", (0, 1)),
        span(1, 3, 3, "c", (0, 1)),
    ]);
    assert_eq!(drawn.rows.len(), 3);
}

#[test]
fn a_chain_of_thousands_is_drawn() {
    let chain: Vec<Span> = (1..=5_000_u64)
        .map(|number| {
            let mut one = span(1, 1, 0, "deep", (number, 10_000));
            one.id = SpanId(number.to_be_bytes());
            one.parent = (number > 1).then(|| SpanId((number - 1).to_be_bytes()));
            one
        })
        .collect();
    assert_eq!(drawn(&chain).rows.last().unwrap().depth, 4_999);
}

#[test]
fn there_is_nothing_to_draw_of_nothing() {
    assert!(draw(TRACE, &[]).is_none());
}

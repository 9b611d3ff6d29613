//! Orders on their way through the saga.

use serde::Serialize;

use super::reading::Readings;
use super::span::{Kind, Span, TraceId};

/// The saga now.
#[derive(Debug, Serialize)]
pub struct Sagas {
    pub standing: Vec<Standing>,
    /// Past their deadline; none where nobody counts.
    pub overdue: Option<f64>,
    /// Seconds since the oldest of those that run began.
    pub oldest: Option<f64>,
    /// How they ended in the last five minutes.
    pub ended: Vec<Ended>,
}

/// Sagas that stand at one step.
#[derive(Debug, Serialize)]
pub struct Standing {
    /// `forward`, or `backward` while it is undone.
    pub direction: String,
    pub step: String,
    pub count: f64,
}

#[derive(Debug, Serialize)]
pub struct Ended {
    pub kind: String,
    /// The order's state.
    pub outcome: String,
    pub count: f64,
}

/// One order in the traces that are kept.
#[derive(Debug, Serialize)]
pub struct Checkout {
    pub trace: TraceId,
    pub order: Option<String>,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// What the customer waited for, in nanoseconds.
    pub answered: u64,
    /// Until the last that came of it.
    pub duration: u64,
    /// The saga's own calls and facts in the order in which they happened.
    pub steps: Vec<Passed>,
    pub failed: bool,
}

/// A step that was passed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Passed {
    pub name: String,
    pub duration: u64,
    pub failed: bool,
}

/// Where an order begins.
pub const CHECKOUT: &str = "stoa.orders.v1.OrderService/PlaceOrder";

/// The saga as it is measured.
pub fn sagas(readings: &Readings) -> Sagas {
    let standing = readings.of("sagas").iter().map(|sample| Standing {
        direction: sample.label("direction").to_owned(),
        step: sample.label("step").to_owned(),
        count: sample.value,
    });
    let ended = readings.of("sagas_ended").iter().filter(|s| s.value >= 0.5).map(|s| Ended {
        kind: s.label("kind").to_owned(),
        outcome: s.label("outcome").to_owned(),
        count: s.value.round(),
    });
    Sagas {
        standing: standing.collect(),
        overdue: readings.first("sagas_overdue", &[]),
        oldest: readings.first("sagas_oldest", &[]),
        ended: ended.collect(),
    }
}

/// What a trace tells of an order; none when it is about something else.
pub fn checkout(spans: &[Span]) -> Option<Checkout> {
    // The edge has a span of that name, too: of its call.
    let served = |span: &&Span| span.name == CHECKOUT && span.kind == Kind::Server;
    let place = spans.iter().find(served)?;
    let begun = spans.iter().map(|span| span.start).min()?;
    let end = spans.iter().map(|span| span.end).max()?;
    // Who serves a call tells of it once; who makes it tells of every try.
    let mut others: Vec<&Span> = spans.iter().filter(|span| is_step(span, place)).collect();
    others.sort_by_key(|span| span.start);
    let steps: Vec<Passed> = others
        .iter()
        .map(|span| Passed {
            name: span.name.rsplit('/').next().unwrap_or_default().to_owned(),
            duration: span.duration(),
            failed: span.error.is_some(),
        })
        .collect();
    Some(Checkout {
        trace: place.trace,
        order: spans.iter().find_map(|span| span.attribute("order.id")).map(str::to_owned),
        start: begun,
        answered: place.duration(),
        duration: end - begun,
        failed: spans.iter().any(|span| span.error.is_some()),
        steps,
    })
}

/// Requests that others served for it, facts that were processed, mail.
fn is_step(span: &Span, place: &Span) -> bool {
    match span.kind {
        Kind::Server => span.service != place.service && span.service != super::house::EDGE,
        Kind::Consumer => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::span::tests::span;

    #[test]
    fn an_order_is_read_from_its_trace() {
        let named = |name: &str, span: Span| Span { name: name.to_owned(), ..span };
        let mut saga = named("saga", span(1, 3, 2, "orders", (2, 30)));
        saga.kind = Kind::Internal;
        saga.attributes.push(("order.id".to_owned(), "0192".to_owned()));
        let mut mail =
            named("process orders.v1.order_confirmed", span(1, 6, 3, "notifications", (50, 60)));
        mail.kind = Kind::Consumer;
        let spans = [
            mail,
            named("POST /v1/orders", span(1, 1, 0, "edge", (0, 40))),
            named(CHECKOUT, span(1, 2, 1, "orders", (1, 39))),
            saga,
            named(
                "stoa.payments.v1.CheckoutPaymentService/Authorize",
                span(1, 5, 3, "payments", (9, 20)),
            ),
            named(
                "stoa.inventory.v1.ReservationService/Reserve",
                span(1, 4, 3, "inventory", (3, 8)),
            ),
        ];
        let checkout = checkout(&spans).unwrap();
        assert_eq!(checkout.order.as_deref(), Some("0192"));
        let steps: Vec<_> = checkout.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(steps, ["Reserve", "Authorize", "process orders.v1.order_confirmed"]);
        assert_eq!((checkout.answered, checkout.duration), (38_000_000, 60_000_000));
    }

    #[test]
    fn other_traces_are_about_no_order() {
        assert!(checkout(&[span(1, 1, 0, "cart", (0, 1))]).is_none());
    }
}

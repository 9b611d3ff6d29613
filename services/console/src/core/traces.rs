//! The traces that are kept, shared by those who bring and those who look.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::graph::Traffic;
use crate::domain::house::House;
use crate::domain::observed;
use crate::domain::orders::{self, Checkout};
use crate::domain::span::{Span, TraceId};
use crate::domain::store::{Filter, Holding, Limits, Store, Summary};
use crate::domain::waterfall::{self, Waterfall};

/// Recent traces.
pub struct Traces {
    store: Mutex<Store>,
}

impl Traces {
    pub fn new(limits: Limits) -> Self {
        Self { store: Mutex::new(Store::new(limits)) }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // A panic while spans were added lost at most one of them.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes spans in.
    pub fn add(&self, spans: impl IntoIterator<Item = Span>) {
        let mut store = self.store();
        let mut count = 0;
        for span in spans {
            store.add(span);
            count += 1;
        }
        let holding = store.holding();
        drop(store);
        metrics::counter!("console_spans_received_total").increment(count);
        metrics::gauge!("console_traces_kept").set(holding.traces as f64);
        metrics::gauge!("console_traces_bytes").set(holding.bytes as f64);
    }

    /// What is kept now.
    pub fn holding(&self) -> Holding {
        self.store().holding()
    }

    /// The latest that pass.
    pub fn latest(&self, filter: &Filter, limit: usize) -> Vec<Summary> {
        self.store().latest(filter, limit)
    }

    /// One trace, drawn.
    pub fn waterfall(&self, id: TraceId) -> Option<Waterfall> {
        waterfall::draw(id, &self.store().spans(id))
    }

    /// The latest orders.
    pub fn checkouts(&self, limit: usize) -> Vec<Checkout> {
        self.store().recent().filter_map(orders::checkout).take(limit).collect()
    }

    /// What the spans of the last `seconds` say of who called whom.
    pub fn traffic(&self, house: &House, now: u64, seconds: u64) -> Traffic {
        observed::traffic(house, self.store().recent(), now, seconds)
    }

    /// The version that a service told of itself last.
    pub fn version(&self, service: &str) -> Option<String> {
        let store = self.store();
        let mut spans = store.recent().take(200).flatten();
        let told = |span: &&Span| span.service == service && !span.version.is_empty();
        spans.find(told).map(|span| span.version.clone())
    }
}

//! Recent traces in bounded memory.
//!
//! The oldest go first; those in which something failed stay longer, as long as they
//! take no more than half of the memory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::span::{Kind, Span, SpanId, TraceId};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// About how much memory, in bytes.
    pub bytes: usize,
    /// How many traces.
    pub traces: usize,
}

/// A trace with more spans than this is cut: nobody reads them, and one trace may not
/// drive out all others.
pub const SPANS_PER_TRACE: usize = 5_000;

/// One trace.
#[derive(Default, Debug)]
pub struct Trace {
    spans: Vec<Span>,
    ids: HashSet<SpanId>,
    services: BTreeSet<String>,
    /// A span without a parent has come.
    rooted: bool,
    bytes: usize,
    errors: usize,
    start: u64,
    end: u64,
    /// In the order in which traces began to arrive.
    number: u64,
}

/// A trace in a list.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub trace: TraceId,
    /// The span that has no parent, or else the first.
    pub name: String,
    pub service: String,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds.
    pub duration: u64,
    /// Until the first span ended: what whoever asked waited for.
    pub answered: u64,
    pub spans: usize,
    pub errors: usize,
    pub services: Vec<String>,
    /// It went on over the broker.
    pub facts: bool,
}

/// Which traces are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Somebody who takes part.
    pub service: Option<String>,
    /// Part of a span's name.
    pub name: Option<String>,
    /// Something failed.
    pub errors: bool,
    /// At least so long, in nanoseconds.
    pub slower_than: u64,
    /// The beginning of the id.
    pub id: Option<String>,
    /// Of traces that began after this moment, in nanoseconds since 1970, only those whose
    /// first span has come: it ends last, and until then nobody knows what they are.
    pub settled: Option<u64>,
}

/// What is kept now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Holding {
    pub traces: usize,
    pub spans: usize,
    pub bytes: usize,
    /// Spans that came since the start.
    pub received: u64,
    /// Traces that made room for others.
    pub gone: u64,
    /// Spans of traces that were too long.
    pub cut: u64,
}

/// The traces.
#[derive(Debug)]
pub struct Store {
    limits: Limits,
    traces: HashMap<TraceId, Trace>,
    order: BTreeMap<u64, TraceId>,
    ordinary: BTreeSet<u64>,
    failed: BTreeMap<u64, TraceId>,
    failed_bytes: usize,
    /// Who points at a trace from another.
    linked: HashMap<TraceId, BTreeSet<TraceId>>,
    next: u64,
    holding: Holding,
}

impl Store {
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            traces: HashMap::new(),
            order: BTreeMap::new(),
            ordinary: BTreeSet::new(),
            failed: BTreeMap::new(),
            failed_bytes: 0,
            linked: HashMap::new(),
            next: 0,
            holding: Holding::default(),
        }
    }

    /// Takes a span in; one that came before is ignored.
    pub fn add(&mut self, span: Span) {
        self.holding.received += 1;
        let (id, weight, failed) = (span.trace, span.bytes(), span.error.is_some());
        let number = self.next;
        let trace = self.traces.entry(id).or_insert_with(|| Trace {
            start: u64::MAX,
            number,
            ..Trace::default()
        });
        if trace.number == number {
            self.next += 1;
            self.order.insert(number, id);
            self.ordinary.insert(number);
        }
        if trace.spans.len() >= SPANS_PER_TRACE {
            self.holding.cut += 1;
            return;
        }
        if !trace.ids.insert(span.id) {
            return;
        }
        let had_failed = trace.errors > 0;
        trace.bytes += weight;
        trace.errors += usize::from(failed);
        trace.rooted |= span.parent.is_none();
        trace.start = trace.start.min(span.start);
        trace.end = trace.end.max(span.end);
        if !trace.services.contains(&span.service) {
            trace.services.insert(span.service.clone());
        }
        if had_failed {
            self.failed_bytes += weight;
        } else if failed {
            self.failed.insert(trace.number, id);
            self.ordinary.remove(&trace.number);
            self.failed_bytes += trace.bytes;
        }
        for (target, _) in span.links.iter().filter(|(target, _)| *target != id) {
            self.linked.entry(*target).or_default().insert(id);
        }
        trace.spans.push(span);
        self.holding.bytes += weight;
        self.holding.spans += 1;
        self.holding.traces = self.traces.len();
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.holding.bytes > self.limits.bytes || self.traces.len() > self.limits.traces {
            let many = self.failed_bytes > self.limits.bytes / 2
                || self.failed.len() > self.limits.traces / 2;
            let failed = self.failed.first_key_value().map(|(number, _)| *number);
            let victim = match (self.ordinary.first(), failed) {
                (_, Some(failed)) if many => failed,
                (Some(ordinary), _) => *ordinary,
                (None, Some(failed)) => failed,
                (None, None) => return,
            };
            self.forget(victim);
        }
    }

    fn forget(&mut self, number: u64) {
        let Some(id) = self.order.remove(&number) else { return };
        let Some(trace) = self.traces.remove(&id) else { return };
        self.ordinary.remove(&number);
        if self.failed.remove(&number).is_some() {
            self.failed_bytes -= trace.bytes;
        }
        self.linked.remove(&id);
        for (target, _) in trace.spans.iter().flat_map(|span| &span.links) {
            if let Some(sources) = self.linked.get_mut(target) {
                sources.remove(&id);
                if sources.is_empty() {
                    self.linked.remove(target);
                }
            }
        }
        self.holding.bytes -= trace.bytes;
        self.holding.spans -= trace.spans.len();
        self.holding.traces = self.traces.len();
        self.holding.gone += 1;
    }

    /// What is kept now.
    pub fn holding(&self) -> Holding {
        self.holding
    }

    /// The latest traces that pass, newest first.
    pub fn latest(&self, filter: &Filter, limit: usize) -> Vec<Summary> {
        let newest = self.order.values().rev().filter_map(|id| Some((*id, self.traces.get(id)?)));
        newest
            .filter(|(id, trace)| passes(*id, trace, filter))
            .take(limit)
            .map(|(id, trace)| summary(id, trace))
            .collect()
    }

    /// The spans of a trace, and those of traces that point at it or at one of these.
    pub fn spans(&self, id: TraceId) -> Vec<&Span> {
        let (mut wanted, mut next) = (vec![id], 0);
        let mut found = Vec::new();
        while let Some(trace) = wanted.get(next).copied().filter(|_| next < 20) {
            next += 1;
            found.extend(self.traces.get(&trace).iter().flat_map(|trace| &trace.spans));
            for source in self.linked.get(&trace).into_iter().flatten() {
                if !wanted.contains(source) {
                    wanted.push(*source);
                }
            }
        }
        found
    }

    /// All spans of traces that began to arrive last, newest trace first.
    pub fn recent(&self) -> impl Iterator<Item = &[Span]> {
        self.order.values().rev().filter_map(|id| Some(self.traces.get(id)?.spans.as_slice()))
    }
}

fn passes(id: TraceId, trace: &Trace, filter: &Filter) -> bool {
    let has = |name: &String| {
        let name = name.to_lowercase();
        trace.spans.iter().any(|span| span.name.to_lowercase().contains(&name))
    };
    (!filter.errors || trace.errors > 0)
        && trace.end.saturating_sub(trace.start) >= filter.slower_than
        && (filter.settled.is_none_or(|settled| trace.start <= settled) || trace.rooted)
        && filter.service.as_ref().is_none_or(|service| trace.services.contains(service))
        && filter.id.as_ref().is_none_or(|text| id.to_string().starts_with(text.as_str()))
        && filter.name.as_ref().is_none_or(has)
}

fn summary(id: TraceId, trace: &Trace) -> Summary {
    let root = root(&trace.spans);
    Summary {
        trace: id,
        name: root.map_or_else(String::new, |span| span.name.clone()),
        service: root.map_or_else(String::new, |span| span.service.clone()),
        start: trace.start,
        duration: trace.end.saturating_sub(trace.start),
        answered: root.map_or(0, Span::duration),
        spans: trace.spans.len(),
        errors: trace.errors,
        services: trace.services.iter().cloned().collect(),
        facts: trace.spans.iter().any(|s| matches!(s.kind, Kind::Producer | Kind::Consumer)),
    }
}

/// The earliest span without a parent, or the earliest of all.
fn root(spans: &[Span]) -> Option<&Span> {
    let earliest = |spans: &mut dyn Iterator<Item = &'_ Span>| -> Option<SpanId> {
        spans.min_by_key(|span| span.start).map(|span| span.id)
    };
    let id = earliest(&mut spans.iter().filter(|span| span.parent.is_none()))
        .or_else(|| earliest(&mut spans.iter()))?;
    spans.iter().find(|span| span.id == id)
}

#[cfg(test)]
mod tests;

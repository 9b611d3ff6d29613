//! One trace as a waterfall: who waited for whom, and what nobody did.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::span::{Event, Kind, Span, SpanId, TraceId};

/// A trace, drawn.
#[derive(Debug, Serialize)]
pub struct Waterfall {
    pub trace: TraceId,
    /// Nanoseconds since 1970.
    pub start: u64,
    /// Nanoseconds.
    pub duration: u64,
    /// Parents before their children, children by their start.
    pub rows: Vec<Row>,
    /// Nanoseconds in which a service, and not somebody whom it waited for, was at work;
    /// the most first.
    pub work: Vec<(String, u64)>,
}

/// A span, drawn.
#[derive(Debug, Serialize)]
pub struct Row {
    pub id: SpanId,
    pub trace: TraceId,
    pub parent: Option<SpanId>,
    pub depth: usize,
    pub name: String,
    pub service: String,
    pub instance: String,
    pub version: String,
    pub kind: Kind,
    /// Nanoseconds since the trace began, after what `shifted` says.
    pub offset: u64,
    /// Nanoseconds.
    pub duration: u64,
    /// Nanoseconds in which none of its children was at work.
    pub own: u64,
    /// Nanoseconds by which its clock seems to go wrong: it cannot begin before who
    /// caused it.
    pub shifted: i64,
    /// Time that passed between its cause and it.
    pub gap: Option<Gap>,
    /// It names a parent that did not come.
    pub orphan: bool,
    /// It hangs here by a link.
    pub linked: bool,
    pub error: Option<String>,
    pub attributes: Vec<(String, String)>,
    pub events: Vec<Event>,
}

/// Time in which a fact waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Nanoseconds since the trace began.
    pub offset: u64,
    /// Nanoseconds.
    pub duration: u64,
    pub place: Place,
}

/// Where a fact waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Until the relay sends it.
    Outbox,
    /// Until a consumer takes it.
    Queue,
}

/// Draws a trace from its spans and those of traces that point at it; none where there
/// is nothing to draw.
pub fn draw(trace: TraceId, spans: &[&Span]) -> Option<Waterfall> {
    let forest = Forest::of(trace, spans);
    let mut drawing = Drawing { forest: &forest, seen: HashSet::new(), rows: Vec::new() };
    let mut roots = forest.roots.clone();
    roots.sort_by_key(|at| forest.spans[*at].start);
    for root in roots {
        drawing.place(root, Position { depth: 0, shift: 0, parent: None });
    }
    // What is left are circles, which a broken sender may have made.
    for at in 0..forest.spans.len() {
        drawing.place(at, Position { depth: 0, shift: 0, parent: None });
    }
    let mut placed = drawing.rows;
    let start = placed.iter().map(|p| p.start).min()?;
    let end = placed.iter().map(|p| p.start + p.row.duration).max()?;
    for p in &mut placed {
        p.row.offset = p.start - start;
        if let Some(gap) = &mut p.row.gap {
            gap.offset -= start;
        }
    }
    let rows: Vec<Row> = placed.into_iter().map(|p| p.row).collect();
    let mut work: HashMap<String, u64> = HashMap::new();
    for row in &rows {
        *work.entry(row.service.clone()).or_default() += row.own;
    }
    let mut work: Vec<_> = work.into_iter().collect();
    work.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Some(Waterfall { trace, start, duration: end - start, rows, work })
}

/// Who hangs on whom.
struct Forest<'a> {
    spans: Vec<&'a Span>,
    children: HashMap<usize, Vec<usize>>,
    roots: Vec<usize>,
    orphans: HashSet<usize>,
    linked: HashSet<usize>,
}

impl<'a> Forest<'a> {
    fn of(trace: TraceId, spans: &[&'a Span]) -> Self {
        let index: HashMap<(TraceId, SpanId), usize> =
            spans.iter().enumerate().map(|(at, span)| ((span.trace, span.id), at)).collect();
        let mut forest = Self {
            spans: spans.to_vec(),
            children: HashMap::new(),
            roots: Vec::new(),
            orphans: HashSet::new(),
            linked: HashSet::new(),
        };
        for (at, span) in spans.iter().enumerate() {
            let parent = span.parent.and_then(|id| index.get(&(span.trace, id)).copied());
            // A consumer that begins a trace of its own points at what it was caused by.
            let cause = span.links.iter().find_map(|link| index.get(link).copied());
            let above = match (parent, cause) {
                (Some(parent), _) => Some(parent),
                (None, Some(cause)) if cause != at => {
                    forest.linked.insert(at);
                    Some(cause)
                }
                _ => None,
            };
            match above {
                Some(above) => forest.children.entry(above).or_default().push(at),
                None => {
                    if span.parent.is_some() && span.trace == trace {
                        forest.orphans.insert(at);
                    }
                    forest.roots.push(at);
                }
            }
        }
        for children in forest.children.values_mut() {
            children.sort_by_key(|at| spans[*at].start);
        }
        forest
    }
}

/// Where a span is drawn.
#[derive(Clone, Copy)]
struct Position {
    depth: usize,
    /// By how much its parent was moved.
    shift: i64,
    /// When its parent begins and ends, after that.
    parent: Option<(u64, u64)>,
}

struct Placed {
    start: u64,
    row: Row,
}

struct Drawing<'a, 'b> {
    forest: &'b Forest<'a>,
    seen: HashSet<usize>,
    rows: Vec<Placed>,
}

impl Drawing<'_, '_> {
    /// Draws a span and all below it, without recursion: a trace may be deep.
    fn place(&mut self, root: usize, position: Position) {
        let mut waiting = vec![(root, position)];
        while let Some((at, position)) = waiting.pop() {
            if !self.seen.insert(at) {
                continue;
            }
            let span = self.forest.spans[at];
            let shift = position.shift + skew(span, position);
            let start = span.start.saturating_add_signed(shift);
            let inner = Position {
                depth: position.depth + 1,
                shift,
                parent: Some((start, start + span.duration())),
            };
            let children = self.forest.children.get(&at).map(Vec::as_slice).unwrap_or_default();
            waiting.extend(children.iter().rev().map(|child| (*child, inner)));
            let own = own(span, children.iter().map(|child| self.forest.spans[*child]));
            let row = self.row(at, position, shift, own, start);
            self.rows.push(Placed { start, row });
        }
    }

    fn row(&self, at: usize, position: Position, shift: i64, own: u64, start: u64) -> Row {
        let span = self.forest.spans[at];
        Row {
            id: span.id,
            trace: span.trace,
            parent: span.parent,
            depth: position.depth,
            name: span.name.clone(),
            service: span.service.clone(),
            instance: span.instance.clone(),
            version: span.version.clone(),
            kind: span.kind,
            offset: 0,
            duration: span.duration(),
            own,
            shifted: shift,
            gap: gap(span, position, start),
            orphan: self.forest.orphans.contains(&at),
            linked: self.forest.linked.contains(&at),
            error: span.error.clone(),
            attributes: span.attributes.clone(),
            events: span.events.clone(),
        }
    }
}

/// By how much a span has to be moved, its parent's move included already: it cannot
/// begin before its cause, and who is waited for ends before the one who waits. Clocks of
/// machines differ; what is off by less than it lasts can only be guessed, so it is put
/// in the middle, as half of the way back and forth.
fn skew(span: &Span, position: Position) -> i64 {
    let Some((begin, end)) = position.parent else { return 0 };
    let start = span.start.saturating_add_signed(position.shift);
    let waited_for = span.kind == Kind::Server;
    let fits = start >= begin && (!waited_for || start + span.duration() <= end);
    if fits || !matches!(span.kind, Kind::Server | Kind::Consumer) {
        return 0;
    }
    let room = (end - begin).checked_sub(span.duration());
    let target = match room {
        Some(room) if waited_for => begin + room / 2,
        // It goes on after who called has given up.
        _ if start >= begin => return 0,
        _ => begin,
    };
    i64::try_from(target).unwrap_or(0) - i64::try_from(start).unwrap_or(0)
}

/// The time that a fact waited before this span.
fn gap(span: &Span, position: Position, start: u64) -> Option<Gap> {
    let place = match span.kind {
        Kind::Producer => Place::Outbox,
        Kind::Consumer => Place::Queue,
        _ => return None,
    };
    let (begin, end) = position.parent?;
    // Who wrote the fact may go on while it waits.
    let since = match written(span) {
        Some(written) if place == Place::Outbox => {
            written.saturating_add_signed(position.shift).max(begin).min(end.max(begin))
        }
        _ => end,
    };
    let duration = start.checked_sub(since).filter(|duration| *duration > 0)?;
    Some(Gap { offset: since, duration, place })
}

/// When a fact was written, in nanoseconds since 1970: the first 48 bits of its id are
/// milliseconds (UUID version 7, RFC 9562).
fn written(span: &Span) -> Option<u64> {
    let id = span.attribute("messaging.message.id")?.replace('-', "");
    let seventh = id.len() == 32 && id.as_bytes()[12] == b'7';
    let millis = u64::from_str_radix(id.get(..12).filter(|_| seventh)?, 16).ok()?;
    millis.checked_mul(1_000_000)
}

/// What is left of a span's time when its children's is taken away, however they overlap.
fn own<'a>(span: &Span, children: impl Iterator<Item = &'a Span>) -> u64 {
    let mut parts: Vec<(u64, u64)> = children
        .map(|child| {
            (child.start.clamp(span.start, span.end), child.end.clamp(span.start, span.end))
        })
        .collect();
    parts.sort_unstable();
    let (mut covered, mut until) = (0, span.start);
    for (start, end) in parts {
        covered += end.saturating_sub(start.max(until));
        until = until.max(end);
    }
    span.duration() - covered
}

#[cfg(test)]
mod tests;

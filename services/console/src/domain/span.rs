//! A span as it is kept.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// The id of a trace (W3C Trace Context, 16 bytes).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TraceId(pub [u8; 16]);

/// The id of a span, unique in its trace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SpanId(pub [u8; 8]);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for TraceId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id)?;
        Ok(Self(id))
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for SpanId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a span is of its trace (OpenTelemetry's span kinds).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// Something that took time.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: TraceId,
    pub id: SpanId,
    pub parent: Option<SpanId>,
    pub name: String,
    pub kind: Kind,
    /// Who tells of it: `service.name`.
    pub service: String,
    /// Which process of it: `service.instance.id`.
    pub instance: String,
    /// `service.version`.
    pub version: String,
    /// Nanoseconds since 1970, by the clock of the one who tells.
    pub start: u64,
    /// The same; never before the start.
    pub end: u64,
    /// Present when it failed; may be empty.
    pub error: Option<String>,
    pub attributes: Vec<(String, String)>,
    pub events: Vec<Event>,
    pub links: Vec<(TraceId, SpanId)>,
}

/// Something that happened at a moment.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    pub at: u64,
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Span {
    /// Nanoseconds.
    pub fn duration(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// One of its attributes.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is about a database, of whichever version of the conventions.
    pub fn database(&self) -> Option<&str> {
        self.attribute("db.system.name").or_else(|| self.attribute("db.system"))
    }

    /// About how much memory it takes: what it holds and what holding it costs.
    pub fn bytes(&self) -> usize {
        let pairs = |pairs: &[(String, String)]| -> usize {
            pairs.iter().map(|(key, value)| key.len() + value.len() + PAIR).sum()
        };
        let texts = [&self.name, &self.service, &self.instance, &self.version];
        let events: usize = self
            .events
            .iter()
            .map(|e| size_of::<Event>() + e.name.len() + pairs(&e.attributes))
            .sum();
        size_of::<Self>()
            + INDEXED
            + texts.iter().map(|text| text.len() + HEAP).sum::<usize>()
            + self.error.as_ref().map_or(0, String::len)
            + pairs(&self.attributes)
            + events
            + self.links.len() * size_of::<(TraceId, SpanId)>()
    }
}

/// What the allocator adds to a piece of memory, about.
const HEAP: usize = 16;
/// Two strings and their pieces of memory.
const PAIR: usize = 2 * (size_of::<String>() + HEAP);
/// Its id once more, in the index of its trace.
const INDEXED: usize = 24;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A span of trace `trace`: id, parent (0: none), service, start and end in
    /// milliseconds.
    pub(crate) fn span(trace: u8, id: u8, parent: u8, service: &str, ms: (u64, u64)) -> Span {
        Span {
            trace: TraceId([trace; 16]),
            id: SpanId([id; 8]),
            parent: (parent != 0).then_some(SpanId([parent; 8])),
            name: format!("{service} {id}"),
            kind: Kind::Server,
            service: service.to_owned(),
            instance: String::new(),
            version: String::new(),
            start: ms.0 * 1_000_000,
            end: ms.1 * 1_000_000,
            error: None,
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
        }
    }

    #[test]
    fn an_id_is_written_and_read_in_hexadecimal() {
        let text = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(text.parse::<TraceId>().map(|id| id.to_string()), Ok(text.to_owned()));
        assert!("0af7".parse::<TraceId>().is_err());
        assert!("zzf7651916cd43dd8448eb211c80319c".parse::<TraceId>().is_err());
    }

    #[test]
    fn a_span_weighs_what_it_holds() {
        let light = span(1, 1, 0, "orders", (0, 1));
        let mut heavy = light.clone();
        heavy.attributes.push(("db.query.text".to_owned(), "x".repeat(1_000)));
        assert!(heavy.bytes() > light.bytes() + 1_000);
    }
}

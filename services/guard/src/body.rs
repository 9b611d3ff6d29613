//! A JSON body against the fields of its message.
//!
//! Read as a stream: a parsed value has forgotten that a key was there twice, and
//! with two readers each may take another (RFC 8259, section 4; RFC 7493, 2.3).

mod read;

use proto::rest::Shape;
use serde::de::DeserializeSeed;

use crate::refusal::Refusal;

/// More than these are not listed: the caller has enough to begin with.
const MOST_LISTED: usize = 20;

/// Refuses text that is no JSON object, and names every field that is not the
/// message's, is given twice or cannot hold its value.
pub fn check(shape: &'static Shape, body: &[u8]) -> Result<(), Refusal> {
    let mut findings = Findings::default();
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = read::object(shape, &mut findings).deserialize(&mut reader);
    // Where, but not what: the text itself may be a secret.
    if let Err(error) = read.and_then(|()| reader.end()) {
        let (line, column) = (error.line(), error.column());
        let message = format!("the body is not a JSON object: line {line}, column {column}");
        return Err(Refusal::malformed("REQUEST_MALFORMED", message));
    }
    let Some(reason) = findings.reason else { return Ok(()) };
    let message = "the body does not fit this method; see field_violations";
    Err(Refusal::malformed(reason, message).with(findings.list))
}

/// What is wrong, in the order of the body; the reason is the first one's.
#[derive(Default)]
struct Findings {
    reason: Option<&'static str>,
    list: Vec<(String, String)>,
}

impl Findings {
    fn add(&mut self, reason: &'static str, path: String, description: &str) {
        self.reason.get_or_insert(reason);
        if self.list.len() < MOST_LISTED {
            self.list.push((path, description.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests;

//! What the guard answers: `google.rpc.Status` as JSON, complete.

use std::fmt;

use serde_json::{Value, json};

/// A request is not let through.
#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `google.rpc.Code`.
    code: u8,
    /// `ErrorInfo.reason`.
    pub reason: &'static str,
    message: String,
    /// Paths of fields or names of parameters, and what is wrong with each.
    pub violations: Vec<(String, String)>,
}

/// `INVALID_ARGUMENT`.
const INVALID: u8 = 3;
/// `NOT_FOUND`.
const NOT_FOUND: u8 = 5;

impl Refusal {
    /// The request itself is wrong.
    pub fn malformed(reason: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status: 400, code: INVALID, reason, message, violations: Vec::new() }
    }

    /// The body is of a type that the method does not read.
    pub fn media_type(message: impl Into<String>) -> Self {
        Self { status: 415, ..Self::malformed("UNSUPPORTED_MEDIA_TYPE", message) }
    }

    /// No method has this path; in the words of the edge.
    pub fn no_route() -> Self {
        let refusal = Self::malformed("ROUTE_NOT_FOUND", "There is nothing here.");
        Self { status: 404, code: NOT_FOUND, ..refusal }
    }

    pub fn with(self, violations: Vec<(String, String)>) -> Self {
        Self { violations, ..self }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": self.reason,
            "domain": proto::ERROR_DOMAIN,
        })];
        if !self.violations.is_empty() {
            let of_field = |(field, description): &(String, String)| -> Value {
                json!({"field": field, "description": description})
            };
            let violations: Vec<Value> = self.violations.iter().map(of_field).collect();
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "field_violations": violations,
            }));
        }
        let status = json!({"code": self.code, "message": self.message, "details": details});
        status.fmt(f)
    }
}

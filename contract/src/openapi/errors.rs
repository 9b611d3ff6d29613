//! What a method answers when it refuses: `google.rpc.Status` with its reasons.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schemas::reference;
use crate::errors::{Of, PLATFORM, http_status};
use crate::model::{Contract, Method};

/// One reason at one HTTP status.
struct Case<'a> {
    code: &'a str,
    reason: &'a str,
    when: &'a str,
    /// Absent: the method's own.
    of: Option<Of>,
}

/// The responses that operations share.
pub(super) struct Responses {
    shared: BTreeMap<String, Value>,
}

impl Responses {
    pub(super) fn new() -> Self {
        Self { shared: BTreeMap::new() }
    }

    /// Everything that a method may answer beside success, by status.
    pub(super) fn of(&mut self, method: &Method) -> Vec<(String, Value)> {
        let mut by_status: BTreeMap<u16, Vec<Case<'_>>> = BTreeMap::new();
        for error in &method.policy.errors {
            let case =
                Case { code: &error.code, reason: &error.reason, when: &error.when, of: None };
            by_status.entry(http_status(&error.code)).or_default().push(case);
        }
        for error in PLATFORM.iter().filter(|e| e.concerns(method)) {
            let case = Case {
                code: error.code,
                reason: error.reason,
                when: error.when,
                of: Some(error.of),
            };
            by_status.entry(error.status).or_default().push(case);
        }
        let named = by_status.into_iter();
        named.map(|(status, cases)| (status.to_string(), self.response(status, &cases))).collect()
    }

    /// Where a method has no reasons of its own it shares a response with others.
    fn response(&mut self, status: u16, cases: &[Case<'_>]) -> Value {
        let Some(kinds) = cases.iter().map(|c| c.of).collect::<Option<Vec<_>>>() else {
            let own: Vec<_> = cases.iter().filter(|c| c.of.is_none()).collect();
            return response(status, cases, &own);
        };
        let mut name = title(status).to_owned();
        for (kind, suffix) in [(Of::User, "User"), (Of::Body, "Body"), (Of::Key, "Key")] {
            if kinds.contains(&kind) {
                name.push_str(suffix);
            }
        }
        let all: Vec<_> = cases.iter().collect();
        self.shared.entry(name.clone()).or_insert_with(|| response(status, cases, &all));
        json!({"$ref": format!("#/components/responses/{name}")})
    }

    pub(super) fn into_components(self) -> Value {
        self.shared.into_iter().collect::<Map<_, _>>().into()
    }
}

fn response(status: u16, cases: &[Case<'_>], shown: &[&Case<'_>]) -> Value {
    let lines: Vec<_> = cases.iter().map(|c| format!("- `{}`: {}.", c.reason, c.when)).collect();
    let reasons: Vec<_> = cases.iter().map(|c| c.reason).collect();
    let examples: Map<_, _> = shown.iter().map(|c| (c.reason.to_owned(), example(c))).collect();
    let mut headers = json!({"x-request-id": {"$ref": "#/components/headers/RequestId"}});
    if status == 429 {
        headers["retry-after"] = json!({"$ref": "#/components/headers/RetryAfter"});
    }
    json!({
        "description": lines.join("\n"),
        "headers": headers,
        "content": {"application/json": {
            "schema": {"allOf": [reference("Status"), one_of(&reasons)]},
            "examples": examples,
        }},
    })
}

/// One of the details is an `ErrorInfo` with one of these reasons.
fn one_of(reasons: &[&str]) -> Value {
    let info = json!({
        "type": "object",
        "required": ["reason"],
        "properties": {"reason": {"enum": reasons}},
    });
    json!({"type": "object", "properties": {"details": {"type": "array", "contains": info}}})
}

fn example(case: &Case<'_>) -> Value {
    let number = CODES.iter().position(|name| *name == case.code).unwrap_or(2);
    json!({"summary": case.when, "value": {
        "code": number,
        "message": case.when,
        "details": [{"@type": ERROR_INFO, "reason": case.reason, "domain": "stoa"}],
    }})
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        408 => "RequestTimeout",
        413 => "ContentTooLarge",
        415 => "UnsupportedMediaType",
        429 => "TooManyRequests",
        431 => "HeadersTooLarge",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        _ => "InternalServerError",
    }
}

const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

/// `google.rpc.Code`, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Headers of answers.
pub(super) fn headers() -> Value {
    json!({
        "RequestId": {
            "description": "Names the request in the logs.",
            "schema": {"type": "string"},
        },
        "RetryAfter": {
            "description": "Seconds to wait.",
            "schema": {"type": "integer", "minimum": 0},
        },
    })
}

/// `google.rpc.Status` and the details that it has.
pub(super) fn schemas(contract: &Contract) -> Vec<(String, Value)> {
    let details = ["ErrorInfo", "BadRequest", "RetryInfo"].map(reference);
    let status = json!({
        "type": "object",
        "description": "An error (`google.rpc.Status`).",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {
                "type": "integer",
                "format": "int32",
                "minimum": 1,
                "maximum": 16,
                "description": "`google.rpc.Code`.",
            },
            "message": {"type": "string", "description": "For developers; may change."},
            "details": {"type": "array", "minItems": 1, "items": {"anyOf": details}},
        },
    });
    vec![
        ("Status".to_owned(), status),
        ("ErrorReason".to_owned(), reasons(contract)),
        ("ErrorInfo".to_owned(), error_info()),
        ("BadRequest".to_owned(), bad_request()),
        ("RetryInfo".to_owned(), retry_info()),
    ]
}

/// Every reason that the edge answers, sorted.
fn reasons(contract: &Contract) -> Value {
    let own = contract.external().flat_map(|(_, m)| m.policy.errors.iter());
    let platform = PLATFORM.iter().filter(|e| e.of != Of::Mesh).map(|e| e.reason);
    let all: BTreeSet<&str> = own.map(|e| e.reason.as_str()).chain(platform).collect();
    json!({"type": "string", "description": "Stable; more may be added.", "enum": all})
}

fn error_info() -> Value {
    json!({
        "type": "object",
        "description": "Why (`google.rpc.ErrorInfo`).",
        "required": ["@type", "reason", "domain"],
        "properties": {
            "@type": {"type": "string", "const": ERROR_INFO},
            "reason": reference("ErrorReason"),
            "domain": {"type": "string", "const": "stoa"},
        },
    })
}

fn bad_request() -> Value {
    json!({
        "type": "object",
        "description": "What is wrong with which field (`google.rpc.BadRequest`).",
        "required": ["@type", "field_violations"],
        "properties": {
            "@type": {"type": "string", "const": "type.googleapis.com/google.rpc.BadRequest"},
            "field_violations": {"type": "array", "items": {
                "type": "object",
                "required": ["field", "description"],
                "properties": {
                    "field": {"type": "string", "description": "Its path in the request."},
                    "description": {"type": "string"},
                },
            }},
        },
    })
}

fn retry_info() -> Value {
    json!({
        "type": "object",
        "description": "When to try again (`google.rpc.RetryInfo`).",
        "required": ["@type", "retry_delay"],
        "properties": {
            "@type": {"type": "string", "const": "type.googleapis.com/google.rpc.RetryInfo"},
            "retry_delay": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?s$"},
        },
    })
}

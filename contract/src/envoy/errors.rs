//! What Envoy answers by itself, in the platform's own form: JSON of
//! `google.rpc.Status` for REST, status and message for gRPC.

use serde_json::{Value, json};

use super::extension;

/// The edge's answer for one HTTP status.
struct Answer {
    status: u16,
    /// `google.rpc.Code`.
    code: u8,
    /// `ErrorInfo.reason`: stable, clients may rely on it.
    reason: &'static str,
    /// `%LOCAL_REPLY_BODY%` is Envoy's own text, escaped. It says which field or
    /// which part of a token is wrong; for 5xx it would name addresses and TLS
    /// errors and is never shown.
    message: &'static str,
}

const fn answer(status: u16, code: u8, reason: &'static str, message: &'static str) -> Answer {
    Answer { status, code, reason, message }
}

const TOKEN_INVALID: Answer =
    answer(401, 16, "TOKEN_INVALID", "The token is not valid. %LOCAL_REPLY_BODY%");

const ANSWERS: [Answer; 15] = [
    answer(400, 3, "REQUEST_MALFORMED", "The request is malformed. %LOCAL_REPLY_BODY%"),
    answer(401, 16, "UNAUTHENTICATED", "Sign in first."),
    answer(403, 7, "PERMISSION_DENIED", "You may not do this."),
    answer(404, 5, "ROUTE_NOT_FOUND", "There is nothing here."),
    answer(405, 12, "METHOD_NOT_ALLOWED", "Not with this method."),
    answer(408, 4, "REQUEST_TIMEOUT", "The request took too long."),
    answer(413, 11, "BODY_TOO_LARGE", "The request body is too large."),
    answer(415, 3, "UNSUPPORTED_MEDIA_TYPE", "Send JSON."),
    answer(429, 8, "RATE_LIMITED", "Too many requests; wait for as long as retry-after says."),
    answer(431, 3, "HEADERS_TOO_LARGE", "The request headers are too large."),
    answer(500, 13, "INTERNAL", "Something went wrong on our side."),
    answer(501, 12, "UNIMPLEMENTED", "Not implemented."),
    answer(502, 14, "UPSTREAM_UNAVAILABLE", "The service cannot be reached; try again."),
    answer(503, 14, "UPSTREAM_UNAVAILABLE", "The service cannot be reached; try again."),
    answer(504, 4, "DEADLINE_EXCEEDED", "The service took too long."),
];

/// For statuses that are not in the list.
const OTHER_REFUSALS: Answer = answer(400, 3, "REQUEST_REJECTED", "The request was refused.");
const OTHER_FAILURES: Answer = answer(500, 13, "INTERNAL", "Something went wrong on our side.");

/// `UNIMPLEMENTED`: how gRPC calls a method that is not there.
const GRPC_UNIMPLEMENTED: u8 = 12;

/// The first mapper that matches wins.
pub(super) fn local_replies() -> Value {
    let mut mappers = vec![guards_own()];
    let mut add = |conditions: &[Value], answer: &Answer, status: Option<u16>| {
        for mut mapper in [rest(conditions, answer), grpc(conditions, answer)] {
            if let Some(status) = status {
                mapper["status_code"] = json!(status);
            }
            mappers.push(mapper);
        }
    };
    add(&[status("EQ", 401), sends_token()], &TOKEN_INVALID, None);
    add(&[status("EQ", 403), refused_by_jwt()], &TOKEN_INVALID, Some(TOKEN_INVALID.status));
    for answer in &ANSWERS {
        add(&[status("EQ", answer.status)], answer, None);
    }
    add(&[status("GE", 500)], &OTHER_FAILURES, None);
    add(&[status("GE", 400)], &OTHER_REFUSALS, None);
    json!({"mappers": mappers})
}

/// What the guard answers is complete already. That it does not answer is the edge's
/// to tell.
fn guards_own() -> Value {
    let statuses = [400, 404, 415].map(|s| status("EQ", s));
    let refused = json!({"or_filter": {"filters": statuses}});
    let flag = json!({"response_flag_filter": {"flags": ["UAEX"]}});
    json!({
        "filter": all(&[refused], flag),
        "body_format_override": {
            "text_format_source": {"inline_string": "%LOCAL_REPLY_BODY%"},
            "content_type": "application/json",
        },
    })
}

fn rest(conditions: &[Value], answer: &Answer) -> Value {
    json!({
        "filter": all(conditions, speaks_json()),
        "body_format_override": {"json_format": {
            "code": answer.code,
            "message": answer.message,
            "details": [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": answer.reason,
                "domain": "stoa",
            }],
        }},
    })
}

/// Envoy would answer UNAVAILABLE to a deadline, INTERNAL to a bad request, and
/// tell why it could not connect.
fn grpc(conditions: &[Value], answer: &Answer) -> Value {
    let code = if answer.status == 404 { GRPC_UNIMPLEMENTED } else { answer.code };
    json!({
        "filter": all(conditions, speaks_grpc()),
        "body_format_override": {"text_format_source": {"inline_string": answer.message}},
        "headers_to_add": [{
            "header": {"key": "grpc-status", "value": code.to_string()},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }],
    })
}

fn all(conditions: &[Value], last: Value) -> Value {
    let filters: Vec<Value> = conditions.iter().cloned().chain([last]).collect();
    json!({"and_filter": {"filters": filters}})
}

/// Envoy insists on a runtime key; this one is never set.
fn status(comparison: &str, status: u16) -> Value {
    let value = json!({"default_value": status, "runtime_key": "edge.unused"});
    json!({"status_code_filter": {"comparison": {"op": comparison, "value": value}}})
}

fn sends_token() -> Value {
    header(json!({"name": "authorization", "present_match": true}))
}

/// Envoy answers 403 to a token for another audience; to a client it is one more
/// token that does not work here.
fn refused_by_jwt() -> Value {
    let config = json!({"expression": "response.code_details.startsWith('jwt_authn')"});
    let filter = extension(
        "envoy.access_loggers.extension_filters.cel",
        "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        config,
    );
    json!({"extension_filter": filter})
}

/// A request that was transcoded keeps its original method in a header; one that
/// was refused before that has no gRPC content type.
fn speaks_json() -> Value {
    json!({"or_filter": {"filters": [
        header(json!({
            "name": "content-type",
            "string_match": {"prefix": "application/grpc"},
            "invert_match": true,
            "treat_missing_header_as_empty": true,
        })),
        header(json!({"name": "x-envoy-original-method", "present_match": true})),
    ]}})
}

/// Only asked where [`speaks_json`] was not true.
fn speaks_grpc() -> Value {
    header(json!({
        "name": "content-type",
        "string_match": {"prefix": "application/grpc"},
    }))
}

fn header(header: Value) -> Value {
    json!({"header_filter": {"header": header}})
}

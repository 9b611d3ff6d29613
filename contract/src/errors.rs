//! What any method may answer, whatever its own errors: made by the edge, the guard
//! beside it, the gate in every service, and the validation of requests.

use crate::model::Method;

/// An error of the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformError {
    /// Over REST.
    pub status: u16,
    /// Name of the `google.rpc.Code`.
    pub code: &'static str,
    /// `ErrorInfo.reason`.
    pub reason: &'static str,
    /// When it is answered; a clause.
    pub when: &'static str,
    /// Which methods answer it.
    pub of: Of,
}

/// Which methods answer an error of the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All of them.
    Every,
    /// Those that ask for a user.
    User,
    /// Those that ask for a permission.
    Permission,
    /// Those with a variable in their REST path.
    Path,
    /// Those whose REST form has a body.
    Body,
    /// Those whose REST form has none.
    NoBody,
    /// Those that ask for an `Idempotency-Key`.
    Key,
    /// None: it is the answer where the edge finds no method.
    Nothing,
    /// None through the edge: only workloads of the mesh see it.
    Mesh,
}

const fn error(
    status: u16,
    code: &'static str,
    reason: &'static str,
    of: Of,
    when: &'static str,
) -> PlatformError {
    PlatformError { status, code, reason, when, of }
}

/// By HTTP status.
#[rustfmt::skip]
pub const PLATFORM: &[PlatformError] = &[
    error(400, "INVALID_ARGUMENT", "VALIDATION_FAILED", Of::Every, "a field breaks the contract; `field_violations` names each"),
    error(400, "INVALID_ARGUMENT", "REQUEST_MALFORMED", Of::Every, "the request cannot be read, or has an unknown query parameter"),
    error(400, "INVALID_ARGUMENT", "REQUEST_REJECTED", Of::Every, "the edge refuses the request as it is"),
    error(400, "INVALID_ARGUMENT", "FIELD_UNKNOWN", Of::Body, "the body has a field that the method does not take"),
    error(400, "INVALID_ARGUMENT", "FIELD_DUPLICATE", Of::Body, "the body gives a field twice, also by its two names"),
    error(400, "INVALID_ARGUMENT", "FIELD_MALFORMED", Of::Body, "the body gives a field a value that it cannot hold"),
    error(400, "INVALID_ARGUMENT", "BODY_MISSING", Of::Body, "there is no body, and the method needs one"),
    error(400, "INVALID_ARGUMENT", "BODY_UNEXPECTED", Of::NoBody, "there is a body, and the method takes none"),
    error(400, "INVALID_ARGUMENT", "PARAMETER_DUPLICATE", Of::Every, "a query parameter is given twice"),
    error(400, "INVALID_ARGUMENT", "PARAMETER_MISPLACED", Of::Every, "a query parameter says what the path or the body says"),
    error(400, "INVALID_ARGUMENT", "IDEMPOTENCY_KEY_MISSING", Of::Key, "there is no `Idempotency-Key`"),
    error(400, "INVALID_ARGUMENT", "IDEMPOTENCY_KEY_INVALID", Of::Key, "the `Idempotency-Key` is longer than 200 characters"),
    error(401, "UNAUTHENTICATED", "UNAUTHENTICATED", Of::User, "there is no access token"),
    error(401, "UNAUTHENTICATED", "TOKEN_INVALID", Of::Every, "the access token that was sent is not valid or has expired"),
    error(401, "UNAUTHENTICATED", "PEER_UNKNOWN", Of::Mesh, "the caller has no workload identity"),
    error(403, "PERMISSION_DENIED", "PERMISSION_DENIED", Of::Permission, "the user's roles do not hold the permission"),
    error(403, "PERMISSION_DENIED", "CALLER_NOT_ALLOWED", Of::Mesh, "the contract does not name the calling workload"),
    error(404, "NOT_FOUND", "ROUTE_NOT_FOUND", Of::Path, "no method has this path and verb"),
    error(405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED", Of::Nothing, "the path is not for this verb"),
    error(408, "DEADLINE_EXCEEDED", "REQUEST_TIMEOUT", Of::Every, "the request did not arrive in time"),
    error(413, "OUT_OF_RANGE", "BODY_TOO_LARGE", Of::Body, "the body is larger than the method takes"),
    error(415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE", Of::Body, "the body is not JSON"),
    error(429, "RESOURCE_EXHAUSTED", "RATE_LIMITED", Of::Every, "the client sent too many requests; `retry-after` says how long to wait"),
    error(429, "RESOURCE_EXHAUSTED", "OVERLOADED", Of::Every, "the service has more to do than it can; `retry-after` says how long to wait"),
    error(431, "INVALID_ARGUMENT", "HEADERS_TOO_LARGE", Of::Every, "the headers are too large"),
    error(500, "INTERNAL", "INTERNAL", Of::Every, "something went wrong on our side"),
    error(501, "UNIMPLEMENTED", "UNIMPLEMENTED", Of::Nothing, "the service does not have the method yet"),
    error(501, "UNIMPLEMENTED", "METHOD_UNKNOWN", Of::Mesh, "the contract has no such method"),
    error(503, "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", Of::Every, "the service cannot be reached"),
    error(503, "UNAVAILABLE", "DATABASE_UNAVAILABLE", Of::Every, "the service's database does not answer"),
    error(503, "UNAVAILABLE", "KEYS_UNAVAILABLE", Of::Every, "access tokens cannot be checked at the moment"),
    error(503, "UNAVAILABLE", "CIRCUIT_OPEN", Of::Mesh, "the callee has failed too often and is not called for a while"),
    error(504, "DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", Of::Every, "the method's deadline passed"),
];

impl PlatformError {
    /// Whether a method may answer it through the edge.
    pub fn concerns(&self, method: &Method) -> bool {
        let policy = &method.policy;
        match self.of {
            Of::Every => true,
            Of::User => policy.access.needs_user(),
            Of::Permission => policy.access.permission.is_some(),
            Of::Path => method.http.as_ref().is_some_and(|http| http.template.contains('{')),
            Of::Body => method.http.as_ref().is_some_and(|http| !http.body.is_empty()),
            Of::NoBody => method.http.as_ref().is_some_and(|http| http.body.is_empty()),
            Of::Key => policy.idempotency_key,
            Of::Nothing | Of::Mesh => false,
        }
    }
}

/// The HTTP status that the edge gives a code.
pub fn http_status(code: &str) -> u16 {
    match code {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ABORTED" | "ALREADY_EXISTS" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => 500,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_stands_there_once_by_status() {
        let reasons: BTreeSet<_> = PLATFORM.iter().map(|e| e.reason).collect();
        assert_eq!(reasons.len(), PLATFORM.len());
        assert!(PLATFORM.is_sorted_by_key(|e| e.status));
    }

    #[test]
    fn what_the_edge_answers_is_listed_with_the_same_status() {
        let yaml = include_str!("../../envoy/edge.yaml");
        let reasons = yaml.lines().filter_map(|l| l.trim().strip_prefix("reason: "));
        let upper = |r: &&str| r.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let edge: BTreeSet<_> = reasons.filter(upper).collect();
        assert!(edge.contains("RATE_LIMITED"));
        let listed: BTreeSet<_> = PLATFORM.iter().map(|e| e.reason).collect();
        let missing: Vec<_> = edge.difference(&listed).collect();
        assert!(missing.is_empty(), "not in PLATFORM: {missing:?}");
    }
}

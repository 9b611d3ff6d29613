//! Headers that a client must not bring, and headers that every answer has.

use serde_json::{Value, json};

use super::extension;

/// They would speak for the edge.
const SPOOFABLE: [&str; 4] = ["x-user-id", "x-roles", "grpc-timeout", "x-forwarded-client-cert"];

/// Who calls, for services that want to know: as far as the proxies before the edge are
/// believed, and never what the client says. `x-forwarded-for` cannot tell, which has all
/// of them, and for callers of this machine Envoy's own address.
const CLIENT_ADDRESS: &str = "x-client-address";

/// Of every answer, also of those that Envoy makes itself: an API's set by the OWASP REST
/// Security Cheat Sheet ("Security Headers") and the OWASP Secure Headers Project. A
/// service behind the edge may say something else about itself, as the pages under
/// `/docs` do.
const SECURITY: [(&str, &str); 10] = [
    ("strict-transport-security", STRICT_TRANSPORT),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    // For browsers that do not know `frame-ancestors`.
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("permissions-policy", PERMISSIONS),
    ("cross-origin-opener-policy", "same-origin"),
    // CORS is asked where it is allowed; this is for those who include without asking.
    ("cross-origin-resource-policy", "same-origin"),
    ("x-permitted-cross-domain-policies", "none"),
];

/// Over TLS alone (RFC 6797, section 7.2): where there is none, the expression has no
/// value, and a header without a value is left out.
const STRICT_TRANSPORT: &str =
    "%CEL(connection.tls_version != '' ? 'max-age=31536000; includeSubDomains' : '')%";

/// What a page of an API never needs.
const PERMISSIONS: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), \
    gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";

/// The first filter of the chain: the last that an answer passes.
pub(super) fn filter() -> Value {
    let mut requests: Vec<Value> = SPOOFABLE.iter().map(|h| json!({"remove": h})).collect();
    requests.push(json!({"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}}));
    requests.push(json!({"append": {
        "header": {"key": CLIENT_ADDRESS, "value": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }}));
    let responses: Vec<Value> = SECURITY
        .iter()
        .map(|(key, value)| {
            json!({"append": {
                "header": {"key": key, "value": value},
                "append_action": "ADD_IF_ABSENT",
            }})
        })
        .collect();
    extension(
        "envoy.filters.http.header_mutation",
        "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
        json!({"mutations": {"request_mutations": requests, "response_mutations": responses}}),
    )
}

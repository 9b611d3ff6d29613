//! Requests that the transcoder would understand otherwise than they were meant: the
//! guard is asked before it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{clusters, extension, limits, typed};
use crate::model::Contract;

pub(super) const FILTER: &str = "envoy.filters.http.ext_authz";
pub(super) const CLUSTER: &str = "guard";

/// A guard that does not answer closes the door: a write that means something else
/// than its sender believes is worse than one that has to be sent again.
pub(super) fn filter(contract: &Contract) -> Value {
    extension(
        FILTER,
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        json!({
            "http_service": {
                "server_uri": {
                    "uri": "http://guard",
                    "cluster": CLUSTER,
                    "timeout": "1s",
                },
                // Without a list clients get all headers, how long the guard took among them.
                "authorization_response": {
                    "allowed_client_headers": {"patterns": [{"exact": "content-type"}]},
                },
            },
            "with_request_body": {"max_request_bytes": limits::largest_body(contract)},
            "allowed_headers": {"patterns": [
                {"exact": "content-type"},
                {"exact": "content-encoding"},
            ]},
            "disallowed_headers": {"patterns": [{"exact": "authorization"}]},
            "failure_mode_allow": false,
            "status_on_error": {"code": "ServiceUnavailable"},
        }),
    )
}

/// Where nothing can be misunderstood.
pub(super) fn off() -> Value {
    typed("envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", json!({"disabled": true}))
}

/// Requests that the transcoder lets pass as they are.
const GRPC: &str = r"application/grpc(\+.*)?|application/grpc-web(-text)?(\+proto)?";

/// The REST requests that the guard is asked about: writes, reads with a body, and
/// those whose query seems to say something a second time. Plain reads do not wait for
/// it, nor does gRPC.
///
/// Nothing is forwarded from these routes: the transcoder has the route chosen again.
pub(super) fn routes(contract: &Contract) -> Vec<Value> {
    let verbs = json!({"safe_regex": {"regex": "POST|PUT|PATCH|DELETE"}});
    let length = json!({
        "name": "content-length",
        "string_match": {"exact": "0"},
        "invert_match": true,
    });
    let mut routes = vec![
        asked("rest writes", vec![json!({"name": ":method", "string_match": verbs})]),
        asked("rest bodies", vec![length]),
    ];
    for (name, pattern) in suspicious_queries(contract) {
        let path = |matcher| json!({"name": ":path", "string_match": matcher});
        let pattern = json!({"safe_regex": {"regex": pattern}});
        // The first is cheaper and says no to most.
        let conditions = vec![path(json!({"contains": "?"})), path(pattern)];
        routes.push(asked(&format!("rest query {name}"), conditions));
    }
    routes
}

fn asked(name: &str, mut conditions: Vec<Value>) -> Value {
    conditions.push(json!({
        "name": "content-type",
        "string_match": {"safe_regex": {"regex": GRPC}},
        "invert_match": true,
        "treat_missing_header_as_empty": true,
    }));
    json!({
        "name": name,
        "match": {"prefix": "/", "headers": conditions},
        "route": {"cluster": clusters::NOWHERE},
        "typed_per_filter_config": {(FILTER): on()},
    })
}

/// Patterns of paths of reads: with a parameter that stands there twice, by whichever
/// names; with one that belongs in the path; with a name of escapes or dots, which the
/// guard understands. Envoy limits patterns in size, so each field has its own.
fn suspicious_queries(contract: &Contract) -> BTreeMap<String, String> {
    let mut patterns = BTreeMap::new();
    patterns.insert("of odd names".to_owned(), ".*[?&][^=&]*[%.].*".to_owned());
    for (_, method) in contract.external() {
        if method.http.as_ref().is_none_or(|http| http.verb != "GET") {
            continue;
        }
        // A path with an unknown field is no contract: it was refused when it was read.
        let in_path = method.path_fields().unwrap_or_default();
        for field in method.descriptor.input().fields().filter(|field| !field.is_list()) {
            let names = match (field.name(), field.json_name()) {
                (name, json) if name == json => name.to_owned(),
                (name, json) => format!("({name}|{json})"),
            };
            let once = format!(".*[?&]{names}([=&].*)?");
            let twice = format!(".*[?&]{names}[=&].*&{names}([=&].*)?");
            if in_path.contains(&field) {
                patterns.insert(format!("{} of the path", field.name()), once);
            } else {
                patterns.insert(format!("{} twice", field.name()), twice);
            }
        }
    }
    patterns
}

fn on() -> Value {
    typed(
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        json!({"check_settings": {}}),
    )
}

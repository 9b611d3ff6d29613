//! Requests that the transcoder would understand otherwise than they were meant: the
//! guard is asked before it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{clusters, extension, limits, typed};
use crate::model::{Contract, Method};

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

/// The REST requests that the guard is asked about: all that have a body, and those
/// that seem to give a query parameter twice. Plain reads do not wait for it.
///
/// Nothing is forwarded from these routes: the transcoder has the route chosen again.
pub(super) fn routes(contract: &Contract) -> Vec<Value> {
    let verbs = json!({"safe_regex": {"regex": "POST|PUT|PATCH"}});
    let length = json!({
        "name": "content-length",
        "string_match": {"exact": "0"},
        "invert_match": true,
    });
    let mut cases = vec![
        ("rest writes".to_owned(), vec![json!({"name": ":method", "string_match": verbs})]),
        ("rest bodies".to_owned(), vec![length]),
        (
            "rest chunked bodies".to_owned(),
            vec![json!({"name": "transfer-encoding", "present_match": true})],
        ),
    ];
    cases.extend(parameters(contract).into_iter().map(|(name, pattern)| {
        let path = |matcher| json!({"name": ":path", "string_match": matcher});
        let twice = json!({"safe_regex": {"regex": pattern}});
        // The first is cheaper and nearly always says no.
        (format!("rest repeated {name}"), vec![path(json!({"contains": "&"})), path(twice)])
    }));
    cases.into_iter().map(|(name, conditions)| asked(&name, conditions)).collect()
}

fn asked(name: &str, mut conditions: Vec<Value>) -> Value {
    // Its bodies are no JSON, and it has no REST paths.
    conditions.push(json!({
        "name": "content-type",
        "string_match": {"prefix": "application/grpc"},
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

/// The query parameters of methods without a body, each with a pattern of paths in
/// which it stands twice, by whichever names. A name with escapes or dots in it is
/// the guard's to understand. Envoy limits patterns in size: one each.
fn parameters(contract: &Contract) -> BTreeMap<String, String> {
    let without_body = |m: &&Method| m.http.as_ref().is_some_and(|http| http.body.is_empty());
    let methods = contract.external().map(|(_, m)| m).filter(without_body);
    let fields = methods.flat_map(|m| m.descriptor.input().fields().collect::<Vec<_>>());
    let mut patterns: BTreeMap<String, String> = fields
        .filter(|field| !field.is_list())
        .map(|field| {
            let names = match (field.name(), field.json_name()) {
                (name, json) if name == json => name.to_owned(),
                (name, json) => format!("({name}|{json})"),
            };
            let twice = format!(".*[?&]{names}[=&].*&{names}([=&].*)?");
            (field.name().to_owned(), twice)
        })
        .collect();
    patterns.insert("(odd names)".to_owned(), ".*[?&][^=&]*[%.].*".to_owned());
    patterns
}

fn on() -> Value {
    typed(
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute",
        json!({"check_settings": {}}),
    )
}

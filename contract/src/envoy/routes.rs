//! Which request goes where: a route per RPC, for REST and gRPC alike.
//!
//! The transcoder turns a REST request into its RPC's path and has the route
//! chosen again, so one exact path carries both.

use serde_json::{Map, Value, json};

use super::{access, clusters, docs, guard, limits, millis, signin, typed};
use crate::model::{Contract, Method, Service};
use crate::resilience::RETRY_ON;

pub(super) fn table(contract: &Contract) -> Value {
    let mut routes = vec![two_hosts()];
    routes.extend(contract.external().map(|(s, m)| rpc(contract, s, m)));
    // Before the guard, which knows JSON only.
    routes.extend(signin::routes(contract));
    routes.extend(guard::routes(contract));
    routes.extend(["/v1/", "/.well-known/"].map(rest_prefix));
    routes.push(docs::route());
    routes.push(unknown());
    json!({
        "name": "edge",
        "validate_clusters": true,
        "virtual_hosts": [{
            "name": "edge",
            "domains": ["*"],
            "routes": routes,
            "typed_per_filter_config": {
                "envoy.filters.http.cors": cors(),
                (guard::FILTER): guard::off(),
            },
        }],
    })
}

/// RFC 9112, section 3.2: more than one `host` is to be refused. Envoy joins them by a
/// comma, which stands in no name of a host.
fn two_hosts() -> Value {
    let mut filters = Map::new();
    filters.extend([access::no_rbac_of_route()]);
    json!({
        "name": "two hosts",
        "match": {
            "prefix": "/",
            "headers": [{"name": ":authority", "string_match": {"contains": ","}}],
        },
        "direct_response": {"status": 400},
        "typed_per_filter_config": filters,
    })
}

fn rpc(contract: &Contract, service: &Service, method: &Method) -> Value {
    let deadline = method.policy.deadline_ms;
    let mut route = json!({"cluster": service.workload});
    if let Value::Object(fields) = &mut route {
        fields.extend(time_limits(method));
        fields.extend(retry_policy(method));
    }
    let mut filters = Map::new();
    filters.extend([access::token_of_route(&method.policy.access)]);
    filters.extend(limits::rate_of_route(method));
    filters.extend(limits::body_of_route(contract, method));
    json!({
        "name": method.path.trim_start_matches('/'),
        "match": {"path": method.path},
        "route": route,
        "request_headers_to_add": [{
            "header": {"key": "grpc-timeout", "value": format!("{deadline}m")},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }],
        "typed_per_filter_config": filters,
    })
}

/// A stream may be quiet for as long as it may be open.
fn time_limits(method: &Method) -> Map<String, Value> {
    let deadline = millis(method.policy.deadline_ms);
    let limits = if method.descriptor.is_server_streaming() {
        json!({
            "timeout": "0s",
            "idle_timeout": "0s",
            "max_stream_duration": {"max_stream_duration": deadline},
        })
    } else {
        json!({"timeout": deadline})
    };
    match limits {
        Value::Object(limits) => limits,
        _ => Map::new(),
    }
}

fn retry_policy(method: &Method) -> Option<(String, Value)> {
    let retry = method.policy.retry.as_ref()?;
    let policy = json!({
        "retry_on": RETRY_ON,
        "num_retries": retry.attempts,
        "per_try_timeout": millis(retry.per_try_ms),
        "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
        "retry_host_predicate": [{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": typed(
                "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
                json!({}),
            ),
        }],
        "host_selection_retry_max_attempts": 3,
    });
    Some(("retry_policy".to_owned(), policy))
}

/// What a REST request matches before it is transcoded. CORS answers preflights
/// only on routes that forward; nothing is ever forwarded here, for RBAC allows
/// the paths of RPCs only.
fn rest_prefix(prefix: &str) -> Value {
    json!({
        "name": format!("rest {prefix}"),
        "match": {"prefix": prefix},
        "route": {"cluster": clusters::NOWHERE},
    })
}

/// Everything else, internal RPCs included. REST requests do not come this far:
/// the transcoder refuses them.
fn unknown() -> Value {
    let mut filters = Map::new();
    filters.extend([access::no_rbac_of_route()]);
    json!({
        "name": "unknown",
        "match": {"prefix": "/"},
        "direct_response": {"status": 404},
        "typed_per_filter_config": filters,
    })
}

/// Tokens travel in a header, never in cookies: no credentials.
fn cors() -> Value {
    typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        json!({
            "allow_origin_string_match": [{"safe_regex": {"regex": "${CORS_ORIGIN_REGEX}"}}],
            "allow_methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
            "allow_headers": "authorization, content-type, idempotency-key, x-grpc-web, x-user-agent, grpc-timeout",
            "expose_headers": "x-request-id, retry-after, x-ratelimit-limit, \
                x-ratelimit-remaining, x-ratelimit-reset, grpc-status, grpc-message, \
                grpc-status-details-bin",
            "max_age": "7200",
            "forward_not_matching_preflights": false,
        }),
    )
}

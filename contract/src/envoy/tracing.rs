//! Traces begin at the edge: every request has one, and its span is the first.

use serde_json::{Value, json};

use super::extension;

pub(super) const CLUSTER: &str = "traces";

/// W3C trace context that a client brings is left at the door: whoever is outside must
/// not decide what is collected, nor put what they do among the spans of others
/// (https://www.w3.org/TR/trace-context/#security-considerations).
const FOREIGN: [&str; 2] = ["traceparent", "tracestate"];

const OPERATION: &str = "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)% %ROUTE_NAME%";

/// Which requests are collected is decided here, and services follow.
pub(super) fn provider() -> Value {
    let config = json!({
        "grpc_service": {"envoy_grpc": {"cluster_name": CLUSTER}, "timeout": "1s"},
        "service_name": "edge",
    });
    json!({
        "random_sampling": {"value": "${TRACE_PERCENT}"},
        // A span for the request that arrives and one for the one that is made of it,
        // named by the method of the contract: a path would tell whose order it is.
        "spawn_upstream_span": true,
        "operation": OPERATION,
        "upstream_operation": "%ROUTE_NAME%",
        "max_path_tag_length": 1,
        "provider": extension(
            "envoy.tracers.opentelemetry",
            "envoy.config.trace.v3.OpenTelemetryConfig",
            config,
        ),
    })
}

pub(super) fn restart() -> Value {
    let mutations: Vec<Value> = FOREIGN.iter().map(|name| json!({"remove": name})).collect();
    json!([extension(
        "envoy.http.early_header_mutation.header_mutation",
        "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
        json!({"mutations": mutations}),
    )])
}

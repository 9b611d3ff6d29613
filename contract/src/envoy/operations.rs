//! What operators see and turn: admin port, switches, overload, access log.

use serde_json::{Value, json};

use super::{extension, typed};

/// Runtime key of the share of requests that are rate limited, in percent.
pub(super) const RATE_LIMIT_KEY: &str = "edge.rate_limit_percent";

/// Above this Envoy sheds load instead of being killed.
const MAX_HEAP_BYTES: u64 = 1 << 30;

/// Twice the ten thousand that the platform promises to serve at once.
const MAX_CONNECTIONS: u32 = 20_000;

pub(super) fn admin() -> Value {
    json!({
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": "${EDGE_ADMIN_PORT}"}},
    })
}

/// The admin layer makes `POST /runtime_modify` work.
pub(super) fn runtime() -> Value {
    json!({"layers": [
        {"name": "defaults", "static_layer": {"edge": {"rate_limit_percent": 100}}},
        {"name": "admin", "admin_layer": {}},
    ]})
}

pub(super) fn overload() -> Value {
    json!({
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                "envoy.resource_monitors.fixed_heap",
                "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                json!({"max_heap_size_bytes": MAX_HEAP_BYTES}),
            ),
            extension(
                "envoy.resource_monitors.global_downstream_max_connections",
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                json!({"max_active_downstream_connections": MAX_CONNECTIONS}),
            ),
        ],
        "actions": [
            heap_action("envoy.overload_actions.shrink_heap", 0.85),
            heap_action("envoy.overload_actions.disable_http_keepalive", 0.90),
            heap_action("envoy.overload_actions.stop_accepting_requests", 0.95),
            heap_action("envoy.overload_actions.stop_accepting_connections", 0.98),
        ],
    })
}

fn heap_action(action: &str, share: f64) -> Value {
    json!({
        "name": action,
        "triggers": [{
            "name": "envoy.resource_monitors.fixed_heap",
            "threshold": {"value": share},
        }],
    })
}

/// One JSON object a line. No query strings, no bodies, no credentials.
pub(super) fn access_log() -> Value {
    let format = json!({
        "time": "%START_TIME%",
        "route": "%ROUTE_NAME%",
        "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
        "path": "%PATH(NQ:ORIG_OR_PATH)%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
        "flags": "%RESPONSE_FLAGS%",
        "reason": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "upstream_ms": "%RESPONSE_DURATION%",
        "bytes_received": "%BYTES_RECEIVED%",
        "bytes_sent": "%BYTES_SENT%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "user_agent": "%REQ(USER-AGENT)%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "traceparent": "%REQ(TRACEPARENT)%",
    });
    json!([{
        "name": "envoy.access_loggers.file",
        "typed_config": typed(
            "envoy.extensions.access_loggers.file.v3.FileAccessLog",
            json!({"path": "${ACCESS_LOG}", "log_format": {"json_format": format}}),
        ),
    }])
}

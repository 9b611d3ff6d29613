//! What operators see and turn: admin port, switches, overload, access log.

use serde_json::{Value, json};

use super::{extension, typed};

/// Runtime key of the share of requests that are rate limited, in percent.
pub(super) const RATE_LIMIT_KEY: &str = "edge.rate_limit_percent";

/// Above this Envoy sheds load instead of being killed.
const MAX_HEAP_BYTES: u64 = 1 << 30;

/// Twice the ten thousand that the platform promises to serve at once.
const MAX_CONNECTIONS: u32 = 20_000;

const HEAP: &str = "envoy.resource_monitors.fixed_heap";

const RESETS: u32 = 500;

pub(super) fn admin() -> Value {
    json!({
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": "${EDGE_ADMIN_PORT}"}},
    })
}

/// Envoy wants to know its name before it reads a certificate from a watched file.
pub(super) fn node() -> Value {
    json!({"id": "edge", "cluster": "stoa"})
}

/// A connection that has opened [`RESETS`] streams, and given up half of them within a
/// second, is closed: HTTP/2 rapid reset (CVE-2023-44487). Envoy's own default, written
/// down so that it cannot change unseen.
fn rapid_reset() -> Value {
    json!({
        "premature_reset_total_stream_count": RESETS,
        "premature_reset_min_stream_lifetime_seconds": 1,
    })
}

/// The admin layer makes `POST /runtime_modify` work.
pub(super) fn runtime() -> Value {
    json!({"layers": [
        {"name": "defaults", "static_layer": {
            "edge": {"rate_limit_percent": 100},
            "overload": rapid_reset(),
        }},
        {"name": "admin", "admin_layer": {}},
    ]})
}

pub(super) fn overload() -> Value {
    json!({
        "refresh_interval": "0.25s",
        "resource_monitors": [
            extension(
                HEAP,
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
            less_patience(),
            heap_action("envoy.overload_actions.shrink_heap", 0.85),
            heap_action("envoy.overload_actions.disable_http_keepalive", 0.90),
            heap_action("envoy.overload_actions.stop_accepting_requests", 0.95),
            heap_action("envoy.overload_actions.stop_accepting_connections", 0.98),
        ],
    })
}

/// The less memory there is left, the sooner those go who only hold on to it.
fn less_patience() -> Value {
    let timers = json!({"timer_scale_factors": [
        {"timer": "HTTP_DOWNSTREAM_CONNECTION_IDLE", "min_timeout": "5s"},
        {"timer": "HTTP_DOWNSTREAM_STREAM_IDLE", "min_timeout": "5s"},
        {"timer": "TRANSPORT_SOCKET_CONNECT", "min_timeout": "1s"},
    ]});
    json!({
        "name": "envoy.overload_actions.reduce_timeouts",
        "triggers": [{
            "name": HEAP,
            "scaled": {"scaling_threshold": 0.75, "saturation_threshold": 0.95},
        }],
        "typed_config": typed("envoy.config.overload.v3.ScaleTimersOverloadActionConfig", timers),
    })
}

fn heap_action(action: &str, share: f64) -> Value {
    json!({
        "name": action,
        "triggers": [{
            "name": HEAP,
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
        "trace_id": "%TRACE_ID%",
    });
    json!([{
        "name": "envoy.access_loggers.file",
        "typed_config": typed(
            "envoy.extensions.access_loggers.file.v3.FileAccessLog",
            json!({"path": "${ACCESS_LOG}", "log_format": {"json_format": format}}),
        ),
    }])
}

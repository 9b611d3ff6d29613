//! The door: one plain HTTP listener and how strictly it reads requests.

use serde_json::{Value, json};

use super::{errors, extension, filters, operations, routes};
use crate::model::Contract;

/// For local use, and for load balancers that end TLS themselves.
pub(super) fn plain(contract: &Contract) -> Value {
    let manager = extension(
        "envoy.filters.network.http_connection_manager",
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        connection_manager(contract),
    );
    json!({
        "name": "plain",
        "address": {"socket_address": {
            "address": "${EDGE_ADDRESS}",
            "port_value": "${EDGE_PORT}",
        }},
        "per_connection_buffer_limit_bytes": 64 * 1024,
        "filter_chains": [{"filters": [manager]}],
    })
}

fn connection_manager(contract: &Contract) -> Value {
    let mut manager = json!({
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "server_name": "stoa",
        "use_remote_address": true,
        "internal_address_config": {"unix_sockets": false},
        "always_set_request_id_in_response": true,
        "access_log": operations::access_log(),
        "local_reply_config": errors::local_replies(),
        "http_filters": filters::chain(contract),
        "route_config": routes::table(contract),
    });
    if let Value::Object(fields) = &mut manager {
        for part in [paths(), time_limits(), protocols()] {
            fields.extend(part.as_object().cloned().unwrap_or_default());
        }
    }
    manager
}

/// One spelling per path, so that no rule can be walked around.
fn paths() -> Value {
    json!({
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
    })
}

/// Against clients that hold on to resources by being slow.
fn time_limits() -> Value {
    json!({
        "request_headers_timeout": "5s",
        "request_timeout": "30s",
        "stream_idle_timeout": "60s",
        "drain_timeout": "10s",
    })
}

fn protocols() -> Value {
    json!({
        "max_request_headers_kb": 32,
        "common_http_protocol_options": {
            "idle_timeout": "300s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 64 * 1024,
            "initial_connection_window_size": 1024 * 1024,
            "connection_keepalive": {"interval": "30s", "timeout": "10s"},
        },
    })
}

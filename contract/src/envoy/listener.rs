//! The door: a plain HTTP listener and one for HTTPS, and how strictly both read requests.

use serde_json::{Value, json};

use super::{errors, extension, filters, operations, routes, tls, tracing};
use crate::model::Contract;

const MANAGER: &str = "envoy.filters.network.http_connection_manager";
const MANAGER_TYPE: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/// For local use, and for load balancers that end TLS themselves.
pub(super) fn plain(contract: &Contract) -> Value {
    let manager = extension(MANAGER, MANAGER_TYPE, connection_manager(contract));
    listener("plain", "${EDGE_PORT}", json!({"filters": [manager]}))
}

/// For people. What lies behind TLS is the plain listener's, word by word: [`shared`]
/// writes it once.
pub(super) fn tls() -> Value {
    let chain = json!({
        // Whoever connects and does not shake hands is let go.
        "transport_socket_connect_timeout": "5s",
        "transport_socket": tls::transport_socket(),
        "filters": [{"name": MANAGER, "typed_config": "*manager"}],
    });
    listener("tls", "${EDGE_TLS_PORT}", chain)
}

fn listener(name: &str, port: &str, chain: Value) -> Value {
    json!({
        "name": name,
        "address": {"socket_address": {"address": "${EDGE_ADDRESS}", "port_value": port}},
        "per_connection_buffer_limit_bytes": 64 * 1024,
        "filter_chains": [chain],
    })
}

/// Gives the plain listener's connection manager a name (a YAML anchor) and lets the
/// other one use it: four thousand lines that cannot differ.
pub(super) fn shared(yaml: &str) -> String {
    let first = format!("typed_config:\n          '@type': type.googleapis.com/{MANAGER_TYPE}\n");
    let named = first.replacen("typed_config:", "typed_config: &manager", 1);
    yaml.replacen(&first, &named, 1).replacen(
        "typed_config: '*manager'",
        "typed_config: *manager",
        1,
    )
}

fn connection_manager(contract: &Contract) -> Value {
    let mut manager = json!({
        "stat_prefix": "edge",
        "codec_type": "AUTO",
        "server_name": "stoa",
        "use_remote_address": true,
        // How many proxies before the edge are believed about a client's address. One
        // too many, and a client can choose the address that it is limited by.
        "xff_num_trusted_hops": "${TRUSTED_HOPS}",
        // Nobody is inside: whoever is has their request ids believed. An address that
        // nobody sends from (RFC 919), for without any Envoy takes all private ones.
        "internal_address_config": {"cidr_ranges": [
            {"address_prefix": "255.255.255.255", "prefix_len": 32},
        ]},
        "always_set_request_id_in_response": true,
        "early_header_mutation_extensions": tracing::restart(),
        "tracing": tracing::provider(),
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

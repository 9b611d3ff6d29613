//! Where requests go: a cluster for each workload, over mutual TLS.

use serde_json::{Value, json};

use super::{docs, guard, typed};
use crate::model::Contract;

/// The edge itself, for the key set that it checks tokens with.
pub(super) const LOOPBACK: &str = "edge_loopback";

/// Nowhere: the REST prefix routes need a cluster, and must never reach one.
pub(super) const NOWHERE: &str = "nowhere";

const TRUST_DOMAIN: &str = "stoa.local";

pub(super) fn all(contract: &Contract) -> Vec<Value> {
    let mut clusters: Vec<Value> = contract.workloads().iter().map(|w| workload(w)).collect();
    clusters.push(json!({
        "name": LOOPBACK,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": endpoint(LOOPBACK, "127.0.0.1", "${EDGE_PORT}"),
    }));
    clusters.push(json!({
        "name": guard::CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "0.5s",
        "load_assignment": endpoint(guard::CLUSTER, "${GUARD_HOST}", "${GUARD_PORT}"),
    }));
    clusters.push(json!({
        "name": docs::CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "0.5s",
        "load_assignment": endpoint(docs::CLUSTER, "${DOCS_HOST}", "${DOCS_PORT}"),
    }));
    clusters.push(json!({
        "name": NOWHERE,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": NOWHERE},
    }));
    clusters
}

fn workload(name: &str) -> Value {
    let variable = name.to_uppercase();
    let host = format!("${{{variable}_HOST}}");
    let port = format!("${{{variable}_PORT}}");
    json!({
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "1s",
        "load_assignment": endpoint(name, &host, &port),
        "transport_socket": mutual_tls(name),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2(),
        },
        "circuit_breakers": circuit_breakers(),
        "outlier_detection": outlier_detection(),
        "health_checks": [health_check(name)],
    })
}

fn endpoint(cluster: &str, host: &str, port: &str) -> Value {
    let address = json!({"socket_address": {"address": host, "port_value": port}});
    json!({
        "cluster_name": cluster,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
    })
}

/// As a client Envoy stops at TLS 1.2 unless both bounds are set.
fn mutual_tls(workload: &str) -> Value {
    let identity = format!("spiffe://{TRUST_DOMAIN}/ns/stoa/sa/{workload}");
    let context = json!({
        "sni": workload,
        "common_tls_context": {
            "tls_params": {
                "tls_minimum_protocol_version": "TLSv1_3",
                "tls_maximum_protocol_version": "TLSv1_3",
            },
            "tls_certificates": [{
                "certificate_chain": {"filename": "${MESH_CERT}"},
                "private_key": {"filename": "${MESH_KEY}"},
            }],
            "validation_context": {
                "trusted_ca": {"filename": "${MESH_CA}"},
                "match_typed_subject_alt_names": [
                    {"san_type": "URI", "matcher": {"exact": identity}},
                ],
            },
        },
    });
    json!({
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed(
            "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            context,
        ),
    })
}

/// The keepalive finds a peer that vanished without closing its connection.
fn http2() -> Value {
    typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        json!({"explicit_http_config": {"http2_protocol_options": {
            "connection_keepalive": {"interval": "10s", "timeout": "3s"},
        }}}),
    )
}

/// Retries may add a fifth to the load. The default concurrency of 3 starves
/// them just when one of two replicas goes away.
fn circuit_breakers() -> Value {
    json!({"thresholds": [{
        "max_connections": 1024,
        "max_pending_requests": 4096,
        "max_requests": 4096,
        "retry_budget": {"budget_percent": {"value": 20.0}, "min_retry_concurrency": 20},
    }]})
}

/// Only what says that the peer itself is broken ejects it: a bug that answers
/// INTERNAL to one kind of request does not.
fn outlier_detection() -> Value {
    json!({
        "split_external_local_origin_errors": true,
        "consecutive_gateway_failure": 5,
        "enforcing_consecutive_gateway_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "consecutive_local_origin_failure": 5,
        "interval": "5s",
        "base_ejection_time": "10s",
        "max_ejection_time": "60s",
        "max_ejection_percent": 50,
    })
}

/// Quick, and one good answer is enough: a restarted service is back at once.
fn health_check(workload: &str) -> Value {
    json!({
        "timeout": "1s",
        "interval": "2s",
        "no_traffic_interval": "2s",
        "no_traffic_healthy_interval": "5s",
        "unhealthy_interval": "1s",
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
        "grpc_health_check": {"authority": workload},
    })
}

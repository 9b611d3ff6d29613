//! Where requests go: a cluster for each workload, over mutual TLS.

use serde_json::{Value, json};

use super::{docs, guard, tls, tracing, typed};
use crate::model::Contract;
use crate::resilience::{
    CONSECUTIVE_FAILURES, EJECTION_INTERVAL, EJECTION_TIME, MAX_CONNECTIONS, MAX_EJECTION_PERCENT,
    MAX_PENDING_REQUESTS, MAX_REQUESTS, MIN_RETRY_CONCURRENCY, RETRY_BUDGET_PERCENT,
};

/// The edge itself, for the key set that it checks tokens with.
pub(super) const LOOPBACK: &str = "edge_loopback";

/// Nowhere: the REST prefix routes need a cluster, and must never reach one.
pub(super) const NOWHERE: &str = "nowhere";

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
        "name": tracing::CLUSTER,
        "type": "STRICT_DNS",
        "connect_timeout": "1s",
        "load_assignment": endpoint(tracing::CLUSTER, "${TRACES_HOST}", "${TRACES_PORT}"),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2(),
        },
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
        "transport_socket": tls::to_workload(name),
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

/// The keepalive finds a peer that vanished without closing its connection.
fn http2() -> Value {
    typed(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        json!({"explicit_http_config": {"http2_protocol_options": {
            "connection_keepalive": {"interval": "10s", "timeout": "3s"},
        }}}),
    )
}

fn circuit_breakers() -> Value {
    json!({"thresholds": [{
        "max_connections": MAX_CONNECTIONS,
        "max_pending_requests": MAX_PENDING_REQUESTS,
        "max_requests": MAX_REQUESTS,
        "retry_budget": {
            "budget_percent": {"value": RETRY_BUDGET_PERCENT},
            "min_retry_concurrency": MIN_RETRY_CONCURRENCY,
        },
    }]})
}

/// Only what says that the peer itself is broken ejects it: a bug that answers
/// INTERNAL to one kind of request does not.
fn outlier_detection() -> Value {
    json!({
        "split_external_local_origin_errors": true,
        "consecutive_gateway_failure": CONSECUTIVE_FAILURES,
        "enforcing_consecutive_gateway_failure": 100,
        "enforcing_consecutive_5xx": 0,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
        "consecutive_local_origin_failure": CONSECUTIVE_FAILURES,
        "interval": EJECTION_INTERVAL,
        "base_ejection_time": EJECTION_TIME,
        "max_ejection_time": "60s",
        "max_ejection_percent": MAX_EJECTION_PERCENT,
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

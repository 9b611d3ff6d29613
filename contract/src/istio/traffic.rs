//! How calls to a workload go: deadlines and retries by method, and what a broken
//! or slow peer may cost its callers.

use serde_json::{Value, json};

use crate::cluster::{self, GRPC_PORT};
use crate::model::{Contract, Method};
use crate::resilience::{
    CONSECUTIVE_FAILURES, EJECTION_INTERVAL, EJECTION_TIME, MAX_CONNECTIONS, MAX_EJECTION_PERCENT,
    MAX_PENDING_REQUESTS, MAX_REQUESTS, MIN_RETRY_CONCURRENCY, RETRY_BUDGET_PERCENT, RETRY_ON,
};
use crate::yaml::millis;

const API: &str = "networking.istio.io/v1";

/// One route per RPC; a path that has none is answered 404 by the caller's own sidecar.
pub(super) fn virtual_service(contract: &Contract, workload: &str) -> Value {
    let methods = contract.methods().filter(|(s, _)| s.workload == workload);
    let mut routes: Vec<Value> = methods.map(|(_, m)| rpc(workload, m)).collect();
    routes.push(plumbing(workload));
    let spec = json!({
        "hosts": [cluster::host(workload)],
        "exportTo": ["."],
        "http": routes,
    });
    cluster::object(API, "VirtualService", workload, spec)
}

fn rpc(workload: &str, method: &Method) -> Value {
    json!({
        "name": method.path.trim_start_matches('/'),
        "match": [{"uri": {"exact": method.path}}],
        "route": [destination(workload)],
        "timeout": millis(method.policy.deadline_ms),
        "retries": retries(method),
    })
}

/// Health and reflection. Their streams have no end of their own.
fn plumbing(workload: &str) -> Value {
    let paths = ["/grpc.health.v1.Health/", "/grpc.reflection."];
    json!({
        "name": "plumbing",
        "match": paths.map(|prefix| json!({"uri": {"prefix": prefix}})),
        "route": [destination(workload)],
        "retries": {"attempts": 0},
    })
}

/// What says nothing is retried twice by Istio's default, whether it may be or not:
/// so a method without a retry says 0.
fn retries(method: &Method) -> Value {
    match &method.policy.retry {
        None => json!({"attempts": 0}),
        Some(retry) => json!({
            "attempts": retry.attempts,
            "perTryTimeout": millis(retry.per_try_ms),
            "retryOn": RETRY_ON,
        }),
    }
}

fn destination(workload: &str) -> Value {
    json!({"destination": {"host": cluster::host(workload), "port": {"number": GRPC_PORT}}})
}

/// The edge's own clusters have the same limits, for the same reasons.
pub(super) fn destination_rule(workload: &str) -> Value {
    let spec = json!({
        "host": cluster::host(workload),
        "exportTo": ["."],
        "trafficPolicy": {
            "tls": {"mode": "ISTIO_MUTUAL"},
            "connectionPool": {
                "tcp": {
                    "maxConnections": MAX_CONNECTIONS,
                    "connectTimeout": "1s",
                    // Finds a peer that vanished without closing its connection.
                    "tcpKeepalive": {"time": "10s", "interval": "3s", "probes": 3},
                },
                "http": {
                    "http1MaxPendingRequests": MAX_PENDING_REQUESTS,
                    "http2MaxRequests": MAX_REQUESTS,
                },
            },
            "retryBudget": {
                "percent": RETRY_BUDGET_PERCENT,
                "minRetryConcurrency": MIN_RETRY_CONCURRENCY,
            },
            "outlierDetection": outlier_detection(),
        },
    });
    cluster::object(API, "DestinationRule", workload, spec)
}

/// Only what says that the peer itself is broken ejects it: a bug that answers
/// INTERNAL to one kind of request does not. When half of the peers look broken all
/// are used again: the fault is then elsewhere.
fn outlier_detection() -> Value {
    json!({
        "splitExternalLocalOriginErrors": true,
        "consecutiveGatewayErrors": CONSECUTIVE_FAILURES,
        "consecutive5xxErrors": 0,
        "consecutiveLocalOriginFailures": CONSECUTIVE_FAILURES,
        "interval": EJECTION_INTERVAL,
        "baseEjectionTime": EJECTION_TIME,
        "maxEjectionPercent": MAX_EJECTION_PERCENT,
        "minHealthPercent": 50,
    })
}

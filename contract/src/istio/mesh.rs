//! What holds for every workload, and what it asks of the installation of Istio.

use serde_json::{Value, json};

use super::access;
use crate::cluster::{self, TRUST_DOMAIN};

/// Where traces go, by its name in the mesh's configuration.
const TRACER: &str = "otel";

/// The edge samples one trace in a hundred; a sidecar follows what it was told.
const SAMPLING_PERCENT: f64 = 1.0;

/// How failures are logged, by its name in the mesh's configuration.
const FAILURES: &str = "failures";

/// The services log what they do and the edge every request. A sidecar has to tell of
/// what they never saw: refusals, and peers that could not be reached. For what is not
/// gRPC Envoy makes up a gRPC status, which is not 0 for success.
const WORTH_LOGGING: &str = "response.code >= 400 || \
    (request.headers['content-type'].startsWith('application/grpc') && response.grpc_status != 0)";

pub(super) fn for_all() -> Vec<Value> {
    vec![access::deny_all(), access::strict_mtls(), telemetry()]
}

fn telemetry() -> Value {
    let unused = ["REQUEST_SIZE", "RESPONSE_SIZE"].map(|metric| {
        json!({"match": {"metric": metric, "mode": "CLIENT_AND_SERVER"}, "disabled": true})
    });
    let spec = json!({
        "accessLogging": [{
            "providers": [{"name": FAILURES}],
            "filter": {"expression": WORTH_LOGGING},
        }],
        "tracing": [{
            "providers": [{"name": TRACER}],
            "randomSamplingPercentage": SAMPLING_PERCENT,
        }],
        "metrics": [{"providers": [{"name": "prometheus"}], "overrides": unused}],
    });
    cluster::object("telemetry.istio.io/v1", "Telemetry", "default", spec)
}

/// Values for the Helm chart `istiod`.
pub(super) fn installation() -> Value {
    let collector = cluster::collector();
    let tracer = json!({
        "name": TRACER,
        "opentelemetry": {"service": collector.host(), "port": collector.port},
    });
    json!({
        "meshConfig": {
            "trustDomain": TRUST_DOMAIN,
            "extensionProviders": [tracer, access_log()],
        },
        // As long as the edge keeps the key set: a new key is published at least
        // this long before it signs.
        "pilot": {
            // Namespaces are `restricted`: who sets up a pod's network is the node's plugin.
            "cni": {"enabled": true},
            "env": {"PILOT_JWT_PUB_KEY_REFRESH_INTERVAL": "5m"},
        },
    })
}

/// One JSON object a line, with the names of the edge's own log. No query strings.
fn access_log() -> Value {
    let fields = json!({
        "time": "%START_TIME%",
        "route": "%ROUTE_NAME%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ:ORIG_OR_PATH)%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
        "flags": "%RESPONSE_FLAGS%",
        "reason": "%RESPONSE_CODE_DETAILS%",
        "duration_ms": "%DURATION%",
        "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
        "caller": "%DOWNSTREAM_PEER_URI_SAN%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "traceparent": "%REQ(TRACEPARENT)%",
    });
    let format = json!({"labels": fields});
    json!({
        "name": FAILURES,
        "envoyFileAccessLog": {"path": "/dev/stdout", "logFormat": format},
    })
}

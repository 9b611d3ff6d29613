//! The pages under `/docs`: the one path behind the edge that is no RPC.

use serde_json::{Map, Value, json};

use super::{access, typed};

pub(super) const CLUSTER: &str = "docs";

/// Reading only, for everybody. The transcoder would refuse a path that is no
/// method's, and RBAC knows no other; the client's default rate holds as everywhere.
pub(super) fn route() -> Value {
    let mut filters = Map::new();
    filters.extend([access::no_rbac_of_route()]);
    filters.insert(
        "envoy.filters.http.grpc_json_transcoder".to_owned(),
        typed("envoy.config.route.v3.FilterConfig", json!({"disabled": true})),
    );
    json!({
        "name": "docs",
        "match": {
            "path_separated_prefix": "/docs",
            "headers": [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}],
        },
        "route": {
            "cluster": CLUSTER,
            "timeout": "5s",
            "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 1},
        },
        "request_headers_to_remove": ["authorization", "cookie"],
        "typed_per_filter_config": filters,
    })
}

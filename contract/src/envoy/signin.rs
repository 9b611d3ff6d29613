//! The pages where people sign in, and what applications call for it: OAuth and OpenID
//! Connect. Their shape is theirs (RFC 6749, OpenID Connect Core), so they are no RPCs.

use serde_json::{Map, Value, json};

use super::{access, limits, typed};
use crate::model::Contract;

/// Who serves them.
const CLUSTER: &str = "identity";
const PATHS: [(&str, &str); 3] = [
    ("path_separated_prefix", "/oauth2"),
    ("path", "/.well-known/openid-configuration"),
    ("path", "/.well-known/oauth-authorization-server"),
];

/// The transcoder would refuse paths that are no method's, and RBAC knows no other; an
/// `authorization` here may be an application's own.
pub(super) fn routes(contract: &Contract) -> Vec<Value> {
    PATHS.iter().map(|(kind, path)| route(contract, kind, path)).collect()
}

fn route(contract: &Contract, kind: &str, path: &str) -> Value {
    let mut filters = Map::new();
    filters.extend([access::no_rbac_of_route(), access::no_token_of_route()]);
    filters.insert(
        "envoy.filters.http.grpc_json_transcoder".to_owned(),
        typed("envoy.config.route.v3.FilterConfig", json!({"disabled": true})),
    );
    // Reading what the provider can do is no guess at a password.
    filters.extend(limits::rate_of_signin(contract).filter(|_| kind != "path"));
    json!({
        "name": format!("signin {path}"),
        "match": {
            (kind): path,
            "headers": [{"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|POST"}}}],
        },
        "route": {"cluster": CLUSTER, "timeout": "10s"},
        "typed_per_filter_config": filters,
    })
}

//! Who may call what, decided at the edge already: tokens and permissions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{clusters, extension, typed};
use crate::model::{Access, Contract};

pub(super) const JWT: &str = "envoy.filters.http.jwt_authn";
const RBAC: &str = "envoy.filters.http.rbac";
const RBAC_TYPE: &str = "envoy.extensions.filters.http.rbac.v3";
const JWT_TYPE: &str = "envoy.extensions.filters.http.jwt_authn.v3";
/// Where the claims of a token are kept for the filters that follow.
pub(super) const PAYLOAD: &str = "payload";
const PROVIDER: &str = "stoa";

/// Checks tokens. The key set comes through the edge's own front door, so that
/// it needs no second way to the identity service.
pub(super) fn jwt() -> Value {
    let provider = json!({
        "issuer": "${JWT_ISSUER}",
        "audiences": ["${JWT_AUDIENCE}"],
        "require_expiration": true,
        "clock_skew_seconds": 30,
        "forward": true,
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "payload_in_metadata": PAYLOAD,
        "jwt_cache_config": {"jwt_cache_size": 1000},
        "remote_jwks": {
            "http_uri": {
                "uri": "http://127.0.0.1:${EDGE_PORT}/.well-known/jwks.json",
                "cluster": clusters::LOOPBACK,
                "timeout": "2s",
            },
            "cache_duration": "${JWKS_CACHE_SECONDS}s",
            "async_fetch": {"fast_listener": true, "failed_refetch_duration": "1s"},
        },
    });
    let required = json!({"provider_name": PROVIDER});
    let optional = json!({"requires_any": {"requirements": [required, {"allow_missing": {}}]}});
    extension(
        JWT,
        &format!("{JWT_TYPE}.JwtAuthentication"),
        json!({
            "providers": {PROVIDER: provider},
            "requirement_map": {"required": required, "optional": optional},
        }),
    )
}

/// The token that a route asks for. Optional still means: valid if sent.
pub(super) fn token_of_route(access: &Access) -> (String, Value) {
    let requirement = if access.needs_user() { "required" } else { "optional" };
    let config = json!({"requirement_name": requirement});
    (JWT.to_owned(), typed(&format!("{JWT_TYPE}.PerRouteConfig"), config))
}

/// A route that asks for none, and does not look at one.
pub(super) fn no_token_of_route() -> (String, Value) {
    (JWT.to_owned(), typed(&format!("{JWT_TYPE}.PerRouteConfig"), json!({"disabled": true})))
}

/// Allows what the contract allows and nothing else. One policy per
/// permission; a path that is in none of them is refused.
pub(super) fn rbac(contract: &Contract) -> Value {
    let mut paths: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for (_, method) in contract.external() {
        let permission = method.policy.access.permission.as_deref();
        paths.entry(permission).or_default().push(&method.path);
    }
    let mut policies = Map::new();
    for (permission, paths) in paths {
        let principals = match permission {
            Some(permission) => holders(contract, permission),
            None => vec![json!({"any": true})],
        };
        let paths: Vec<Value> =
            paths.iter().map(|p| json!({"url_path": {"path": {"exact": p}}})).collect();
        policies.insert(
            permission.unwrap_or("open").to_owned(),
            json!({"permissions": paths, "principals": principals}),
        );
    }
    extension(
        RBAC,
        &format!("{RBAC_TYPE}.RBAC"),
        json!({"rules": {"action": "ALLOW", "policies": policies}, "track_per_rule_stats": true}),
    )
}

/// Lets a route through without a policy: it answers by itself and calls nobody.
pub(super) fn no_rbac_of_route() -> (String, Value) {
    (RBAC.to_owned(), typed(&format!("{RBAC_TYPE}.RBACPerRoute"), json!({})))
}

/// Users of whose roles one holds the permission, and those whose token names it.
fn holders(contract: &Contract, permission: &str) -> Vec<Value> {
    let roles = contract.holders(permission).into_iter().map(|role| claims("roles", role));
    roles.chain([claims("entitlements", permission)]).collect()
}

/// Users whose token has the value in a claim that is a list (RFC 9068, section 2.2.3.1).
fn claims(claim: &str, value: &str) -> Value {
    json!({"sourced_metadata": {
        "metadata_source": "DYNAMIC",
        "metadata_matcher": {
            "filter": JWT,
            "path": [{"key": PAYLOAD}, {"key": claim}],
            "value": {"list_match": {"one_of": {"string_match": {"exact": value}}}},
        },
    }})
}

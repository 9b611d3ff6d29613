//! Who may call what: by the identity in the caller's certificate, for each RPC path.

use serde_json::{Map, Value, json};

use crate::cluster::{self, ADMIN_PORT, AUDIENCE, EDGE_PORT, GRPC_PORT, ISSUER};
use crate::model::{Call, Contract, EDGE, Method, TOOLS};

const API: &str = "security.istio.io/v1";

/// The edge asks whether a service is up before it sends it anything.
const HEALTH: [&str; 2] = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"];
/// `grpcurl` and `buf curl` ask what there is.
const REFLECTION: [&str; 2] = [
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Whether somebody with a valid token must stand behind a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum User {
    Needed,
    NotNeeded,
}

/// An empty spec allows nothing to anybody.
pub(super) fn deny_all() -> Value {
    cluster::object(API, "AuthorizationPolicy", "deny-all", json!({}))
}

pub(super) fn strict_mtls() -> Value {
    cluster::object(API, "PeerAuthentication", "default", json!({"mtls": {"mode": "STRICT"}}))
}

/// One rule per caller, or two where only some of the methods need a user.
pub(super) fn policy(contract: &Contract, workload: &str) -> Value {
    let mut rules = Vec::new();
    for call in contract.callers_of(workload) {
        rules.extend([User::Needed, User::NotNeeded].iter().filter_map(|u| rule(&call, *u)));
    }
    let callers: Vec<&str> = contract.callers_of(workload).iter().map(|c| c.caller).collect();
    let doors = [EDGE, TOOLS].into_iter().filter(|door| callers.contains(door));
    let doors: Vec<String> = doors.map(cluster::principal).collect();
    if !doors.is_empty() {
        rules.push(allow(json!({"principals": doors}), rpcs(&HEALTH)));
    }
    if callers.contains(&TOOLS) {
        let tools = [cluster::principal(TOOLS)];
        rules.push(allow(json!({"principals": tools}), rpcs(&REFLECTION)));
    }
    rules.push(scrape());
    selecting("AuthorizationPolicy", workload, json!({"action": "ALLOW", "rules": rules}))
}

/// The edge decides itself what comes in; only the gateway may ask it.
pub(super) fn edge_policy() -> Value {
    let gateway = json!({"principals": [cluster::gateway().principal()]});
    let door = allow(gateway, json!({"ports": [EDGE_PORT.to_string()]}));
    let spec = json!({"action": "ALLOW", "rules": [door, scrape()]});
    selecting("AuthorizationPolicy", EDGE, spec)
}

/// Refuses bad tokens and leaves good ones where the service's own gate checks them again.
pub(super) fn tokens(workload: &str) -> Value {
    let rule = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "jwksUri": format!("{ISSUER}/.well-known/jwks.json"),
        "fromHeaders": [{"name": "authorization", "prefix": "Bearer "}],
        "forwardOriginalToken": true,
    });
    selecting("RequestAuthentication", workload, json!({"jwtRules": [rule]}))
}

/// Any token will do here that `tokens` let through: there is one issuer. Which
/// permissions it gives is decided by the edge and by the service's gate.
fn rule(call: &Call<'_>, user: User) -> Option<Value> {
    let needs = |m: &&&Method| (user == User::Needed) == m.policy.access.needs_user();
    let methods: Vec<&str> = call.methods.iter().filter(needs).map(|m| m.path.as_str()).collect();
    if methods.is_empty() {
        return None;
    }
    let mut source = Map::new();
    source.insert("principals".to_owned(), json!([cluster::principal(call.caller)]));
    if user == User::Needed {
        source.insert("requestPrincipals".to_owned(), json!(["*"]));
    }
    Some(allow(Value::Object(source), rpcs(&methods)))
}

fn rpcs(paths: &[&str]) -> Value {
    json!({"ports": [GRPC_PORT.to_string()], "methods": ["POST"], "paths": paths})
}

fn scrape() -> Value {
    let prometheus = json!({"principals": [cluster::prometheus().principal()]});
    let metrics = json!({
        "ports": [ADMIN_PORT.to_string()],
        "methods": ["GET"],
        "paths": ["/metrics"],
    });
    allow(prometheus, metrics)
}

fn allow(source: Value, operation: Value) -> Value {
    json!({"from": [{"source": source}], "to": [{"operation": operation}]})
}

fn selecting(kind: &str, workload: &str, spec: Value) -> Value {
    let mut selecting = json!({"selector": {"matchLabels": cluster::labels(workload)}});
    if let (Value::Object(all), Value::Object(spec)) = (&mut selecting, spec) {
        all.extend(spec);
    }
    cluster::object(API, kind, workload, selecting)
}

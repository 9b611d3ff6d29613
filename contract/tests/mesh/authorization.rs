//! Every caller × every RPC × every workload, with a token and without.

use contract::{Contract, EDGE, Method, TOOLS};
use serde_json::Value;

use crate::documents::{contract, everybody, objects, of_kind, only, strings};

/// A request as a sidecar sees it.
#[derive(Clone)]
struct Request<'a> {
    /// Who is called.
    workload: &'a str,
    /// Who calls; empty without mutual TLS.
    principal: String,
    port: &'a str,
    verb: &'a str,
    path: &'a str,
    /// A valid token is with it.
    token: bool,
}

impl<'a> Request<'a> {
    fn rpc(workload: &'a str, caller: &str, path: &'a str, token: bool) -> Self {
        let principal = format!("stoa.local/ns/stoa/sa/{caller}");
        Self { workload, principal, port: "8080", verb: "POST", path, token }
    }
}

/// What Istio does with `AuthorizationPolicy` objects of which all are ALLOW: without
/// any that selects the workload everything passes, else what one rule matches
/// (https://istio.io/latest/docs/concepts/security/#implicit-enablement).
fn allows(policies: &[Value], request: &Request<'_>) -> bool {
    let selecting: Vec<&Value> = policies.iter().filter(|p| selects(p, request.workload)).collect();
    selecting.is_empty() || selecting.iter().any(|p| rules(p).any(|r| matches(r, request)))
}

fn selects(policy: &Value, workload: &str) -> bool {
    let spec = &policy["spec"];
    only(spec, &["selector", "action", "rules"]);
    assert_eq!(policy["metadata"]["namespace"], "stoa");
    assert!(spec["action"].is_null() || spec["action"] == "ALLOW");
    let Some(selector) = spec.get("selector") else { return true };
    only(selector, &["matchLabels"]);
    only(&selector["matchLabels"], &["app.kubernetes.io/name"]);
    selector["matchLabels"]["app.kubernetes.io/name"] == workload
}

fn rules(policy: &Value) -> impl Iterator<Item = &Value> {
    policy["spec"]["rules"].as_array().into_iter().flatten()
}

fn matches(rule: &Value, request: &Request<'_>) -> bool {
    only(rule, &["from", "to"]);
    let from = rule["from"].as_array().unwrap();
    let to = rule["to"].as_array().unwrap();
    from.iter().any(|f| is_source(&f["source"], request))
        && to.iter().any(|t| is_operation(&t["operation"], request))
}

fn is_source(source: &Value, request: &Request<'_>) -> bool {
    only(source, &["principals", "requestPrincipals"]);
    let who = strings(&source["principals"]).contains(&request.principal.as_str());
    let users = strings(&source["requestPrincipals"]);
    assert!(users.is_empty() || users == ["*"]);
    who && (users.is_empty() || request.token)
}

fn is_operation(operation: &Value, request: &Request<'_>) -> bool {
    only(operation, &["ports", "methods", "paths"]);
    let one_of = |field: &str, value: &str| {
        operation.get(field).is_none_or(|list| {
            let list = strings(list);
            assert!(list.iter().all(|s| !s.contains('*')), "the test knows no wildcards");
            list.contains(&value)
        })
    };
    one_of("ports", request.port)
        && one_of("methods", request.verb)
        && one_of("paths", request.path)
}

/// What the contract says, read without the call graph that the policies are made from.
fn contract_allows(method: &Method, caller: &str, token: bool) -> bool {
    let access = &method.policy.access;
    let through_door = access.internal.is_none() && [EDGE, TOOLS].contains(&caller);
    let named = access.callers.iter().any(|c| c == caller);
    let user_is_fine = token || (access.signed_in.is_none() && access.permission.is_none());
    (through_door || named) && user_is_fine
}

fn policies() -> Vec<Value> {
    of_kind(&objects("istio/generated"), "AuthorizationPolicy")
}

fn each_rpc(contract: &Contract, mut check: impl FnMut(&str, &Method, bool)) {
    for (service, method) in contract.methods() {
        for workload in contract.workloads() {
            check(&workload, method, service.workload == workload);
        }
    }
}

#[test]
fn every_caller_may_call_exactly_what_the_contract_allows() {
    let (contract, policies) = (contract(), policies());
    let (mut allowed, mut refused) = (0, 0);
    each_rpc(&contract, |workload, method, serves| {
        for caller in everybody(&contract) {
            for token in [true, false] {
                let expected = serves && contract_allows(method, &caller, token);
                let found =
                    allows(&policies, &Request::rpc(workload, &caller, &method.path, token));
                let path = &method.path;
                assert_eq!(found, expected, "{caller} → {workload} {path}, token: {token}");
                *if found { &mut allowed } else { &mut refused } += 1;
            }
        }
    });
    println!("{allowed} calls allowed, {refused} refused");
    assert!(allowed > 0 && refused > allowed);
}

#[test]
fn an_identity_of_elsewhere_may_call_nothing() {
    let (contract, policies) = (contract(), policies());
    let impostors = [
        "",
        "stoa.local/ns/other/sa/orders",
        "other.local/ns/stoa/sa/orders",
        "stoa.local/ns/stoa/sa/",
        "stoa.local/ns/istio-ingress/sa/istio-ingress",
        "stoa.local/ns/observability/sa/prometheus",
    ];
    each_rpc(&contract, |workload, method, _| {
        for principal in impostors {
            let mut request = Request::rpc(workload, EDGE, &method.path, true);
            request.principal = principal.to_owned();
            assert!(!allows(&policies, &request), "{principal} → {}", method.path);
        }
    });
}

#[test]
fn an_rpc_is_no_way_to_another_port_verb_or_path() {
    let (contract, policies) = (contract(), policies());
    for (service, method) in contract.external() {
        let rpc = Request::rpc(&service.workload, EDGE, &method.path, true);
        assert!(allows(&policies, &rpc));
        assert!(!allows(&policies, &Request { port: "9090", ..rpc.clone() }));
        assert!(!allows(&policies, &Request { verb: "GET", ..rpc.clone() }));
        let longer = format!("{}/", method.path);
        assert!(!allows(&policies, &Request { path: &longer, ..rpc }));
    }
}

#[test]
fn the_doors_may_ask_for_health_and_only_tools_for_reflection() {
    let (contract, policies) = (contract(), policies());
    let health = "/grpc.health.v1.Health/Check";
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    for workload in contract.workloads() {
        for caller in everybody(&contract) {
            let may = |path| allows(&policies, &Request::rpc(&workload, &caller, path, false));
            assert_eq!(may(health), [EDGE, TOOLS].contains(&caller.as_str()), "{caller}");
            assert_eq!(may(reflection), caller == TOOLS, "{caller}");
        }
    }
}

#[test]
fn only_prometheus_may_read_metrics_and_nothing_else_there() {
    let (contract, policies) = (contract(), policies());
    for workload in contract.workloads() {
        let mut scrape = Request::rpc(&workload, EDGE, "/metrics", false);
        (scrape.port, scrape.verb) = ("9090", "GET");
        assert!(!allows(&policies, &scrape));
        scrape.principal = "stoa.local/ns/observability/sa/prometheus".to_owned();
        assert!(allows(&policies, &scrape));
        assert!(!allows(&policies, &Request { path: "/livez", ..scrape }));
    }
}

#[test]
fn only_the_gateway_may_call_the_edge_and_nobody_the_tools() {
    let (contract, policies) = (contract(), policies());
    for caller in everybody(&contract) {
        for workload in [EDGE, TOOLS] {
            assert!(!allows(&policies, &Request::rpc(workload, &caller, "/v1/products", true)));
        }
    }
    let mut request = Request::rpc(EDGE, EDGE, "/v1/products", false);
    request.principal = "stoa.local/ns/istio-ingress/sa/istio-ingress".to_owned();
    assert!(allows(&policies, &request));
    assert!(!allows(&policies, &Request { workload: TOOLS, ..request }));
}

#[test]
fn a_workload_that_no_policy_names_is_closed() {
    let policies = policies();
    assert!(!allows(&policies, &Request::rpc("new-service", EDGE, "/anything", true)));
    let named: Vec<Value> =
        policies.into_iter().filter(|p| p["metadata"]["name"] != "deny-all").collect();
    let open = allows(&named, &Request::rpc("new-service", EDGE, "/anything", true));
    assert!(open, "the evaluator knows that without deny-all it would be open");
}

#[test]
fn mutual_tls_has_no_exception() {
    let peers = of_kind(&objects("istio/generated"), "PeerAuthentication");
    assert_eq!(peers.len(), 1);
    only(&peers[0]["spec"], &["mtls"]);
    assert_eq!(peers[0]["spec"]["mtls"]["mode"], "STRICT");
}

#[test]
fn every_service_refuses_bad_tokens_and_still_gets_the_good_ones() {
    let objects = objects("istio/generated");
    for workload in contract().workloads() {
        let tokens = crate::documents::named(&objects, "RequestAuthentication", &workload);
        let rules = tokens["spec"]["jwtRules"].as_array().unwrap();
        assert_eq!(rules.len(), 1);
        assert_eq!(rules[0]["issuer"], "https://stoa.local");
        assert_eq!(strings(&rules[0]["audiences"]), ["stoa"]);
        assert_eq!(rules[0]["forwardOriginalToken"], true);
        assert_eq!(rules[0]["fromHeaders"][0]["name"], "authorization");
    }
}

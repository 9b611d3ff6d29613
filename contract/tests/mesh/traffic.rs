//! Deadlines, retries, and what each sidecar can reach.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Contract, Store};
use serde_json::Value;

use crate::documents::{contract, name, named, objects, of_kind, strings};

/// The milliseconds of a duration such as `0.500s`.
fn millis(duration: &Value) -> u64 {
    let seconds = duration.as_str().unwrap().strip_suffix('s').unwrap();
    let seconds: f64 = seconds.parse().unwrap();
    (seconds * 1000.0).round() as u64
}

fn service_host(workload: &str) -> String {
    format!("{workload}.stoa.svc.cluster.local")
}

/// Routes by the path that they match.
fn routes(service: &Value) -> BTreeMap<String, Value> {
    let routes = service["spec"]["http"].as_array().unwrap();
    let exact = |r: &Value| Some((r["match"][0]["uri"]["exact"].as_str()?.to_owned(), r.clone()));
    routes.iter().filter_map(exact).collect()
}

#[test]
fn every_rpc_has_one_route_with_the_contracts_deadline_and_retries() {
    let objects = objects("istio/generated");
    let contract = contract();
    for workload in contract.workloads() {
        let service = named(&objects, "VirtualService", &workload);
        assert_eq!(strings(&service["spec"]["hosts"]), [service_host(&workload)]);
        let routes = routes(&service);
        let methods: Vec<_> =
            contract.methods().filter(|(s, _)| s.workload == workload).map(|(_, m)| m).collect();
        assert_eq!(routes.len(), methods.len(), "{workload}");
        for method in methods {
            let (route, path) = (&routes[&method.path], &method.path);
            assert_eq!(millis(&route["timeout"]), u64::from(method.policy.deadline_ms), "{path}");
            let retries = &route["retries"];
            let attempts = method.policy.retry.as_ref().map_or(0, |r| u64::from(r.attempts));
            assert_eq!(retries["attempts"].as_u64(), Some(attempts), "{path}");
            if let Some(retry) = &method.policy.retry {
                assert_eq!(
                    millis(&retries["perTryTimeout"]),
                    u64::from(retry.per_try_ms),
                    "{path}"
                );
            }
        }
    }
}

#[test]
fn what_is_not_idempotent_is_never_retried() {
    let objects = objects("istio/generated");
    let contract = contract();
    for service in of_kind(&objects, "VirtualService") {
        for route in service["spec"]["http"].as_array().unwrap() {
            let attempts = route["retries"]["attempts"].as_u64();
            assert!(attempts.is_some(), "without a number Istio retries twice: {route}");
            if attempts != Some(0) {
                let path = route["match"][0]["uri"]["exact"].as_str().unwrap();
                assert!(contract.method(path).unwrap().idempotent, "{path}");
            }
        }
    }
}

#[test]
fn every_service_has_circuit_breakers_and_ejects_broken_peers() {
    let objects = objects("istio/generated");
    for workload in contract().workloads() {
        let rule = named(&objects, "DestinationRule", &workload);
        assert_eq!(rule["spec"]["host"], service_host(&workload));
        let policy = &rule["spec"]["trafficPolicy"];
        assert_eq!(policy["tls"]["mode"], "ISTIO_MUTUAL");
        assert!(policy["connectionPool"]["http"]["http2MaxRequests"].as_u64() > Some(0));
        assert_eq!(policy["outlierDetection"]["consecutiveGatewayErrors"], 5);
        assert_eq!(policy["retryBudget"]["percent"], 20.0);
    }
}

/// What a workload's sidecar must know, said without the generator's help.
fn reach(contract: &Contract, caller: &str) -> BTreeSet<String> {
    let here = |host: String| format!("./{host}");
    let store = |n: String| format!("stoa-data/{n}.stoa-data.svc.cluster.local");
    let mut hosts = BTreeSet::new();
    for (service, method) in contract.methods() {
        let access = &method.policy.access;
        let door = access.internal.is_none() && ["edge", "tools"].contains(&caller);
        if door || access.callers.iter().any(|c| c == caller) {
            hosts.insert(here(service_host(&service.workload)));
        }
    }
    for service in contract.services.iter().filter(|s| s.workload == caller) {
        let external = service.needs.external.iter();
        hosts.extend(external.map(|e| here(format!("{}.example.com", e.name))));
        hosts.extend(service.needs.stores.iter().map(|s| match s {
            Store::Postgres => store(format!("{caller}-postgres")),
            Store::Redis => store(format!("{caller}-redis")),
        }));
    }
    let facts = || contract.facts.iter();
    if facts().any(|f| f.publisher == caller || f.consumers.iter().any(|c| c == caller)) {
        hosts.insert(store("rabbitmq".to_owned()));
    }
    hosts.insert("observability/otel-collector.observability.svc.cluster.local".to_owned());
    hosts
}

#[test]
fn a_sidecar_reaches_exactly_what_its_workload_calls_and_needs() {
    let objects = objects("istio/generated");
    let contract = contract();
    let sidecars = of_kind(&objects, "Sidecar");
    let found: BTreeSet<&str> = sidecars.iter().map(name).collect();
    let expected = contract.participants();
    assert_eq!(found, expected.iter().map(String::as_str).collect());
    for sidecar in &sidecars {
        let spec = &sidecar["spec"];
        assert_eq!(spec["workloadSelector"]["labels"]["app.kubernetes.io/name"], name(sidecar));
        assert_eq!(spec["outboundTrafficPolicy"]["mode"], "REGISTRY_ONLY");
        assert_eq!(spec["egress"].as_array().unwrap().len(), 1);
        let hosts: BTreeSet<String> =
            strings(&spec["egress"][0]["hosts"]).into_iter().map(str::to_owned).collect();
        assert_eq!(hosts, reach(&contract, name(sidecar)), "{}", name(sidecar));
    }
}

#[test]
fn every_host_in_our_namespace_is_a_workload_or_a_service_entry() {
    let objects = objects("istio/generated");
    let entries = of_kind(&objects, "ServiceEntry");
    let mut known: BTreeSet<String> =
        entries.iter().flat_map(|e| strings(&e["spec"]["hosts"])).map(str::to_owned).collect();
    known.extend(contract().workloads().iter().map(|w| service_host(w)));
    let mut hosts: Vec<String> = Vec::new();
    for sidecar in of_kind(&objects, "Sidecar") {
        let egress = strings(&sidecar["spec"]["egress"][0]["hosts"]).into_iter();
        hosts.extend(egress.filter_map(|h| h.strip_prefix("./")).map(str::to_owned));
    }
    for service in of_kind(&objects, "VirtualService") {
        hosts.extend(strings(&service["spec"]["hosts"]).into_iter().map(str::to_owned));
        for route in service["spec"]["http"].as_array().unwrap() {
            let destination = &route["route"][0]["destination"];
            assert_eq!(destination["port"]["number"], 8080);
            hosts.push(destination["host"].as_str().unwrap().to_owned());
        }
    }
    for rule in of_kind(&objects, "DestinationRule") {
        hosts.push(rule["spec"]["host"].as_str().unwrap().to_owned());
    }
    let unknown: Vec<&String> = hosts.iter().filter(|h| !known.contains(*h)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

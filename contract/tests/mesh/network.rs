//! Every pair of pods: a connection opens exactly where the call graph has an edge.

use contract::{Contract, Store};
use serde_json::{Value, json};

use crate::documents::{contract, everybody, objects, of_kind, only};

/// A pod, or an address outside the cluster.
#[derive(Clone, Debug)]
struct Peer {
    namespace: String,
    labels: Value,
    address: Option<[u8; 4]>,
}

fn pod(namespace: &str, label: &str, value: &str) -> Peer {
    Peer { namespace: namespace.to_owned(), labels: json!({label: value}), address: None }
}

fn ours(workload: &str) -> Peer {
    pod("stoa", "app.kubernetes.io/name", workload)
}

fn outside(address: [u8; 4]) -> Peer {
    Peer { namespace: String::new(), labels: json!({}), address: Some(address) }
}

/// Whether Kubernetes lets a connection be opened: both ends must allow it, and an
/// end allows everything that no policy of its namespace speaks of.
fn opens(policies: &[Value], from: &Peer, to: &Peer, protocol: &str, port: u64) -> bool {
    end_allows(policies, "Egress", from, to, protocol, port)
        && end_allows(policies, "Ingress", to, from, protocol, port)
}

fn tcp(policies: &[Value], from: &Peer, to: &Peer, port: u64) -> bool {
    opens(policies, from, to, "TCP", port)
}

fn end_allows(
    policies: &[Value],
    direction: &str,
    end: &Peer,
    other: &Peer,
    protocol: &str,
    port: u64,
) -> bool {
    let (rules, peers) = match direction {
        "Egress" => ("egress", "to"),
        _ => ("ingress", "from"),
    };
    let speaks = |p: &&Value| {
        let spec = &p["spec"];
        only(spec, &["podSelector", "policyTypes", "ingress", "egress"]);
        let types = spec["policyTypes"].as_array().unwrap();
        end.address.is_none()
            && p["metadata"]["namespace"] == *end.namespace
            && selects(&spec["podSelector"], &end.labels)
            && types.iter().any(|t| t == direction)
    };
    let speaking: Vec<&Value> = policies.iter().filter(speaks).collect();
    let allowed = |rule: &Value| {
        only(rule, &[peers, "ports"]);
        let ports = rule["ports"].as_array().unwrap();
        ports.iter().any(|p| p["protocol"] == protocol && p["port"] == port)
            && rule[peers].as_array().unwrap().iter().any(|p| is_peer(p, other))
    };
    speaking.is_empty()
        || speaking.iter().any(|p| p["spec"][rules].as_array().into_iter().flatten().any(allowed))
}

fn is_peer(peer: &Value, other: &Peer) -> bool {
    if let Some(block) = peer.get("ipBlock") {
        only(peer, &["ipBlock"]);
        let except = block["except"].as_array().unwrap();
        return other.address.is_some_and(|a| {
            within(&block["cidr"], a) && !except.iter().any(|cidr| within(cidr, a))
        });
    }
    only(peer, &["podSelector", "namespaceSelector"]);
    let namespace = match peer.get("namespaceSelector") {
        None => "stoa",
        Some(selector) => {
            only(selector, &["matchLabels"]);
            selector["matchLabels"]["kubernetes.io/metadata.name"].as_str().unwrap()
        }
    };
    other.address.is_none()
        && other.namespace == namespace
        && selects(&peer["podSelector"], &other.labels)
}

fn selects(selector: &Value, labels: &Value) -> bool {
    only(selector, &["matchLabels"]);
    let Some(wanted) = selector.get("matchLabels") else { return true };
    wanted.as_object().unwrap().iter().all(|(key, value)| labels[key] == *value)
}

fn within(cidr: &Value, address: [u8; 4]) -> bool {
    let (network, bits) = cidr.as_str().unwrap().split_once('/').unwrap();
    let Ok(network) = network.parse::<std::net::Ipv4Addr>() else { return false };
    let shift = 32 - bits.parse::<u32>().unwrap();
    let prefix = |address: u32| u64::from(address) >> shift;
    prefix(u32::from(network)) == prefix(u32::from_be_bytes(address))
}

fn policies() -> Vec<Value> {
    of_kind(&objects("k8s/base/network-policies"), "NetworkPolicy")
}

fn has_edge(contract: &Contract, caller: &str, callee: &str) -> bool {
    contract.calls().iter().any(|c| c.caller == caller && c.service.workload == callee)
}

#[test]
fn a_connection_opens_exactly_where_the_call_graph_has_an_edge() {
    let (contract, policies) = (contract(), policies());
    let mut open = 0;
    for from in everybody(&contract) {
        for to in everybody(&contract) {
            let found = tcp(&policies, &ours(&from), &ours(&to), 8080);
            assert_eq!(found, has_edge(&contract, &from, &to), "{from} → {to}");
            open += usize::from(found);
            for port in [22, 80, 5432, 9090, 15012, 15090] {
                assert!(!tcp(&policies, &ours(&from), &ours(&to), port), "{from} → {to}:{port}");
            }
        }
    }
    assert_eq!(open, contract.calls().len());
}

#[test]
fn a_store_is_reached_by_its_owner_alone_and_the_broker_by_who_has_facts() {
    let (contract, policies) = (contract(), policies());
    let store = |name: &str| pod("stoa-data", "stoa.local/store", name);
    for from in everybody(&contract) {
        for owner in contract.workloads() {
            for (kind, name, port) in
                [(Store::Postgres, "postgres", 5432), (Store::Redis, "redis", 6379)]
            {
                let owns = contract.services.iter().any(|s| {
                    s.workload == owner && s.workload == from && s.needs.stores.contains(&kind)
                });
                let to = store(&format!("{owner}-{name}"));
                assert_eq!(tcp(&policies, &ours(&from), &to, port), owns, "{from} → {owner}");
            }
        }
        let to_broker = tcp(&policies, &ours(&from), &store("rabbitmq"), 5671);
        assert_eq!(to_broker, contract.uses_broker(&from), "{from}");
    }
}

#[test]
fn the_internet_is_open_only_to_who_needs_a_system_there() {
    let (contract, policies) = (contract(), policies());
    for from in everybody(&contract) {
        for port in [25, 80, 443, 587, 8080] {
            let services = contract.services.iter().filter(|s| s.workload == from);
            let external = services.flat_map(|s| &s.needs.external);
            let needs = external.map(|e| u64::from(e.port)).any(|p| p == port);
            let to = |address| tcp(&policies, &ours(&from), &outside(address), port);
            assert_eq!(to([93, 184, 215, 14]), needs, "{from} → :{port}");
            for private in [[10, 1, 2, 3], [169, 254, 169, 254], [172, 31, 0, 1], [192, 168, 0, 1]]
            {
                assert!(!to(private), "{from} → {private:?}:{port}");
            }
            assert!(!tcp(&policies, &outside([93, 184, 215, 14]), &ours(&from), port));
        }
    }
}

#[test]
fn workloads_reach_names_certificates_and_the_collector() {
    let (contract, policies) = (contract(), policies());
    let dns = pod("kube-system", "k8s-app", "kube-dns");
    let istiod = pod("istio-system", "app", "istiod");
    let collector = pod("observability", "app.kubernetes.io/name", "otel-collector");
    let known = contract.participants();
    for from in everybody(&contract) {
        let (from, known) = (ours(&from), known.contains(&from));
        assert_eq!(opens(&policies, &from, &dns, "UDP", 53), known);
        assert_eq!(tcp(&policies, &from, &dns, 53), known);
        assert_eq!(tcp(&policies, &from, &istiod, 15012), known);
        assert_eq!(tcp(&policies, &from, &collector, 4317), known);
    }
}

#[test]
fn only_prometheus_comes_for_metrics_and_only_the_gateway_to_the_edge() {
    let (contract, policies) = (contract(), policies());
    let prometheus = pod("observability", "app.kubernetes.io/name", "prometheus");
    let gateway = pod("istio-ingress", "istio", "ingress");
    let elsewhere = pod("default", "app.kubernetes.io/name", "prometheus");
    for to in contract.participants() {
        for port in [9090, 15090] {
            assert!(tcp(&policies, &prometheus, &ours(&to), port), "{to}");
            assert!(!tcp(&policies, &elsewhere, &ours(&to), port), "{to}");
            assert!(!tcp(&policies, &gateway, &ours(&to), port), "{to}");
        }
        assert!(!tcp(&policies, &prometheus, &ours(&to), 8080), "{to}");
        assert_eq!(tcp(&policies, &gateway, &ours(&to), 8080), to == "edge", "{to}");
    }
}

#[test]
fn a_pod_that_no_policy_names_is_cut_off() {
    let policies = policies();
    let stranger = ours("new-service");
    assert!(!tcp(&policies, &stranger, &ours("catalog"), 8080));
    assert!(!tcp(&policies, &ours("edge"), &stranger, 8080));
    let named: Vec<Value> =
        policies.into_iter().filter(|p| p["metadata"]["name"] != "default-deny").collect();
    let open = end_allows(&named, "Ingress", &stranger, &ours("edge"), "TCP", 8080);
    assert!(open, "the evaluator knows that without default-deny it would be open");
}
